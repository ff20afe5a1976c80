"""Verify that an archive can be read back, with the hashed contents."""

from __future__ import annotations

import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import zstandard

from milepost.examples.archive.errors import ArchiveError
from milepost.examples.archive.files import OnBytes, chunks
from milepost.examples.archive.formats import Format
from milepost.examples.archive.hashing import Digest, hash_content
from milepost.examples.archive.scan import Tree, printable

__all__ = ["verify"]

# The exceptions of reading a damaged archive.
_DAMAGE: Final = (tarfile.TarError, zstandard.ZstdError, lzma.LZMAError, EOFError, OSError)

# Maximum number of names in a failure.
_NAMES_LIMIT: Final = 5


def verify(path: Path, form: Format, tree: Tree, digests: Mapping[str, Digest], on_bytes: OnBytes) -> None:
    """Read the whole archive; compare its entries with the tree, and each file with its digest.

    Args:
        path: The archive.
        form: Its format.
        tree: The expected entries.
        digests: The digests of the tree's files, by name.
        on_bytes: Called with the number of further bytes that are compared. May raise, to stop.

    Raises:
        ArchiveError: It cannot be read, or differs.
    """
    found: dict[str, Digest | str] = {}
    try:
        with (
            path.open("rb") as file,
            form.decompressing(file) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                found[member.name] = member.linkname if content is None else hash_content(content, on_bytes)
            for _ in chunks(stream):
                pass  # read to the end, where the checksum is
    except _DAMAGE as error:
        text = f"The archive cannot be read back: {error}."
        raise ArchiveError("ARCHIVE_DAMAGED", text, retryable=True) from error
    expected = {entry.name: digests.get(entry.name, entry.target) for entry in tree.entries.values()}
    if found != expected:
        raise _mismatch({name for name, _ in found.items() ^ expected.items()})


def _mismatch(names: set[str]) -> ArchiveError:
    shown = ", ".join(printable(name) for name in sorted(names)[:_NAMES_LIMIT])
    more = f" and {len(names) - _NAMES_LIMIT:,} more" if len(names) > _NAMES_LIMIT else ""
    text = f"The archive does not hold what was hashed: {shown}{more} changed meanwhile."
    return ArchiveError("VERIFY_MISMATCH", text, retryable=True)
