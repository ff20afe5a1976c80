"""Pack a tree into a compressed tar archive whose bytes depend only on its content."""

from __future__ import annotations

import os
import stat
import tarfile
from typing import BinaryIO, Final

from milepost.examples.archive.files import OnBytes, open_file
from milepost.examples.archive.formats import Format
from milepost.examples.archive.scan import Entry, Note, Tree

__all__ = ["pack"]

# Of a file's mode only the owner's right to execute is stored.
_MODE: Final = 0o644
_MODE_EXECUTABLE: Final = 0o755
_MODE_LINK: Final = 0o777


def pack(tree: Tree, output: BinaryIO, form: Format, on_bytes: OnBytes) -> None:
    """Write the entries of the tree to ``output``.

    The same names and contents give the same bytes (with the same version of the compressor): entries are in the tree's
    order, without an owner, and at the time 0; of modes only the owner's right to execute is stored.

    A file that cannot be opened any more is dropped from the tree. One whose size has changed, or that cannot be read
    to its end, gets a note and is packed as far as possible: it has changed, and verifying will find that.

    Raises:
        OSError: ``output`` cannot be written.
    """
    with (
        form.compressing(output) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for entry in [*tree.entries.values()]:
            if entry.is_file:
                _add_file(archive, tree, entry, on_bytes)
            else:
                archive.addfile(_header(entry))


def _add_file(archive: tarfile.TarFile, tree: Tree, entry: Entry, on_bytes: OnBytes) -> None:
    try:
        file = open_file(tree.root / entry.name)
    except OSError as error:
        tree.drop(entry, error)
        return
    with file:
        header = _header(entry)
        header.size = os.fstat(file.fileno()).st_size
        content = _Content(file, on_bytes)
        archive.addfile(header, content)
    if header.size != entry.size or content.is_short:
        tree.notes.append(Note(entry.name, "changed while it was being archived", left_out=False))


def _header(entry: Entry) -> tarfile.TarInfo:
    header = tarfile.TarInfo(entry.name)
    if stat.S_ISDIR(entry.mode):
        header.type = tarfile.DIRTYPE
        header.mode = _MODE_EXECUTABLE
    elif entry.target:
        header.type = tarfile.SYMTYPE
        header.linkname = entry.target
        header.mode = _MODE_LINK
    else:
        header.mode = _MODE_EXECUTABLE if entry.mode & stat.S_IXUSR else _MODE
    return header


class _Content:
    """The content of a file, padded with zeros if it has become shorter: the archive already has its size."""

    def __init__(self, file: BinaryIO, on_bytes: OnBytes) -> None:
        self._file = file
        self._on_bytes = on_bytes
        self.is_short = False

    def read(self, size: int = 0, /) -> bytes:
        """Read exactly ``size`` bytes."""
        content = b""
        while not self.is_short and len(content) < size:
            try:
                more = self._file.read(size - len(content))
            except OSError:
                more = b""
            self.is_short = not more
            content += more
        self._on_bytes(size)
        return content.ljust(size, b"\0")
