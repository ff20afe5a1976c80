"""A file that gets its name only once it is complete."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from milepost.examples.archive.errors import ArchiveError
from milepost.examples.archive.scan import printable, reason

__all__ = ["Partial"]

# In characters. A name may have 255 bytes; the rest is for the prefix and the suffix.
_NAME_LENGTH: Final = 50


class Partial:
    """A new file beside ``target``, under another name; removed on exit unless it was committed.

    Attributes:
        target: Its final path. An existing file is replaced.
        path: Its path until then.
        file: The file, open for writing.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f".{target.name[:_NAME_LENGTH]}.{uuid4().hex}.part")

    def __enter__(self) -> Self:
        try:
            if self.target.is_dir():
                raise IsADirectoryError(None, "is a directory")
            self.file = self.path.open("xb")
        except OSError as error:
            raise self.not_writable(error) from error
        # In a handler process a cancellation may come anywhere, also right after the file was created.
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.file.close()
        finally:
            self.path.unlink(missing_ok=True)

    def commit(self) -> None:
        """Make the file durable, and give it its final name."""
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.path.replace(self.target)
            directory = os.open(self.target.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise self.not_writable(error) from error

    def not_writable(self, error: OSError) -> ArchiveError:
        """Convert an error of writing the file."""
        return ArchiveError(
            "OUTPUT_NOT_WRITABLE", f"Cannot write {printable(str(self.target))}: {reason(error)}."
        )
