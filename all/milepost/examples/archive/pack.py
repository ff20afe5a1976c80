"""One file out of many: a compressed tar archive whose bytes depend on nothing but what it holds."""

from __future__ import annotations

import os
import stat
import tarfile
from typing import BinaryIO, Final

from milepost.examples.archive.files import OnBytes, open_file
from milepost.examples.archive.formats import Format
from milepost.examples.archive.scan import Entry, Note, Tree

__all__ = ["pack"]

# All that is kept of a file's mode: whether its owner may execute it.
_MODE: Final = 0o644
_MODE_EXECUTABLE: Final = 0o755
_MODE_LINK: Final = 0o777


def pack(tree: Tree, output: BinaryIO, form: Format, on_bytes: OnBytes) -> None:
    """Writes the entries of the tree to ``output``.

    The same names and contents give the same bytes (with the same version of the compressor): entries are in the tree's
    order, belong to nobody, and are of the time 0; of modes only the owner's right to execute is kept.

    A file that cannot be opened any more leaves the tree. One that has another size by now, or that cannot be read to
    its end, is noted and packed as far as it goes: it is not what it was, and verifying will say so.

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
    """What a file holds, and zeros where it has become shorter: its size is in the archive already."""

    def __init__(self, file: BinaryIO, on_bytes: OnBytes) -> None:
        self._file = file
        self._on_bytes = on_bytes
        self.is_short = False

    def read(self, size: int = 0, /) -> bytes:
        """Exactly so many bytes."""
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
