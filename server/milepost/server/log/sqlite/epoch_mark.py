"""The epoch mark: detects that a database was restored, replaced or truncated, and gives it a new epoch.

The mark is a file beside the database with its epoch, its inode and its last position. If the inode differs, or the
database ends before that position, old cursors would address other events. So it gets a new epoch, which subscribers
notice (rule 4). A copied database counts as replaced, since copy and original could both go on.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import structlog

_logger = structlog.get_logger("milepost.store")


class _MarkContent(NamedTuple):
    """The content of the mark."""

    epoch: str
    inode: int
    position: int


# Interval between renewals in seconds. After a crash the mark does not detect the loss of later writes.
_RENEWAL_INTERVAL = 1.0


class EpochMark:
    """The mark in its file at ``path``. It follows its directory when that is moved. ``close`` releases it."""

    def __init__(self, path: Path, database: Path) -> None:
        self._name = path.name
        self._directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        self._inode = database.stat().st_ino
        self._epoch = ""
        self._renewed = 0.0
        self._position = -1
        self._last_error = ""

    def resolve_epoch(self, epoch: str | None, position: int) -> str:
        """Return the current epoch of a database that had ``epoch`` (None: new) and ends at ``position``."""
        mark = self._read()
        intact = (
            epoch is not None
            and mark is not None
            and (mark.epoch, mark.inode) == (epoch, self._inode)
            and mark.position <= position
        )
        self._epoch = epoch if intact and epoch is not None else uuid.uuid4().hex
        return self._epoch

    def renew(self, position: int, *, now: bool = False) -> None:
        """Record that everything up to the position is durable, at most once a second unless ``now``.

        It writes nothing if the mark exists and has this position.
        """
        clock = time.monotonic()
        if now or clock - self._renewed >= _RENEWAL_INTERVAL:
            self._renewed = clock
            try:
                if position != self._position or not self._is_there():
                    self._write(json.dumps(_MarkContent(self._epoch, self._inode, position)._asdict()))
                    self._position = position
                self._last_error = ""
            except FileNotFoundError:
                pass  # the directory was deleted, with the database: see store_files
            except OSError as error:  # an older mark detects less, and harms nothing else
                if str(error) != self._last_error:
                    _logger.warning("epoch mark not renewed", error=str(error))
                self._last_error = str(error)

    def close(self) -> None:
        """Close the directory."""
        os.close(self._directory)

    def _is_there(self) -> bool:
        try:
            os.stat(self._name, dir_fd=self._directory)
        except FileNotFoundError:
            return False
        return True

    def _write(self, text: str) -> None:
        """Replace the file atomically: after a power cut it has either the old or the new content."""
        temporary = self._name.replace(".json", ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=self._directory), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        os.fsync(self._directory)

    def _read(self) -> _MarkContent | None:
        try:
            with os.fdopen(os.open(self._name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._directory)) as file:
                return _MarkContent(**json.load(file))
        except (OSError, ValueError, TypeError):
            return None
