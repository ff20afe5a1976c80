"""Scan a directory for entries to archive, without leaving it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from milepost.examples.archive.errors import ArchiveError

__all__ = ["Entry", "Note", "Tree", "printable", "reason", "scan"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry to archive: a directory, a symbolic link (with a ``target``) or a file.

    Attributes:
        name: Its path from the root, with ``/`` between the parts.
        mode: The mode of `os.stat`.
        size: In bytes; 0 for anything but a file.
    """

    name: str
    mode: int
    size: int = 0
    target: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.mode)


@dataclass(frozen=True, slots=True)
class Note:
    """A remark about an entry that its owner may not expect.

    Attributes:
        left_out: Whether the entry is left out of the archive for that reason.
    """

    name: str
    reason: str
    left_out: bool = True


@dataclass
class Tree:
    """A scanned directory: its entries by name, in the archive's order, and the notes about them."""

    root: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    @property
    def files(self) -> list[Entry]:
        """The regular files."""
        return [entry for entry in self.entries.values() if entry.is_file]

    @property
    def links(self) -> list[Entry]:
        """The symbolic links."""
        return [entry for entry in self.entries.values() if entry.target]

    @property
    def left_out(self) -> list[Note]:
        """The notes about entries that are left out."""
        return [note for note in self.notes if note.left_out]

    @property
    def size(self) -> int:
        """The size of all files in bytes."""
        return sum(entry.size for entry in self.entries.values())

    def drop(self, entry: Entry, error: OSError) -> None:
        """Leave out an entry because of an error."""
        del self.entries[entry.name]
        self.notes.append(Note(entry.name, reason(error)))


def scan(
    root: Path,
    *,
    leave_out: Collection[Path] = (),
    exclude: Collection[str] = (),
    on_entry: Callable[[], None] = lambda: None,
) -> Tree:
    """Find all entries below ``root``, in an order that depends only on the names.

    Symbolic links are not followed. A link to a target within ``root`` is an entry; one that leads out of it is left
    out, like sockets, pipes, devices and everything that cannot be read. All of these get a note.

    Args:
        root: The directory, an absolute path without symbolic links.
        leave_out: Paths to leave out without a note, such as that of the archive itself.
        exclude: Patterns (`fnmatch`) of names, at any depth, to leave out without a note.
        on_entry: Called for each entry. May raise, to stop.

    Raises:
        ArchiveError: ``root`` is not a directory that can be read.
    """
    tree = Tree(root)
    waiting = [_root_listed(root)]
    while waiting:
        path = next(waiting[-1], None)
        if path is None:
            waiting.pop()
            continue
        if path in leave_out or any(fnmatchcase(path.name, pattern) for pattern in exclude):
            continue
        on_entry()
        name = path.relative_to(root).as_posix()
        try:
            entry = _entry(path, name)
            below = _listed(path) if stat.S_ISDIR(entry.mode) else None
        except OSError as error:
            tree.notes.append(Note(name, reason(error)))
            continue
        note = _note(entry, path, root)
        if note is not None:
            tree.notes.append(note)
        if note is None or not note.left_out:
            tree.entries[name] = entry
        if below is not None:
            waiting.append(below)
    return tree


def printable(name: str) -> str:
    """A file's name as text, in which bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def reason(error: OSError) -> str:
    """The system's error message, in lower case."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _root_listed(root: Path) -> Iterator[Path]:
    try:
        return _listed(root)
    except FileNotFoundError as error:
        raise ArchiveError("PATH_NOT_FOUND", f"There is no {printable(str(root))}.") from error
    except NotADirectoryError as error:
        raise ArchiveError("NOT_A_DIRECTORY", f"{printable(str(root))} is not a directory.") from error
    except OSError as error:
        raise ArchiveError("PATH_NOT_READABLE", f"{printable(str(root))}: {reason(error)}.") from error


def _listed(directory: Path) -> Iterator[Path]:
    return iter(sorted(directory.iterdir(), key=lambda path: os.fsencode(path.name)))


def _entry(path: Path, name: str) -> Entry:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return Entry(name, found.st_mode, target=os.fsdecode(path.readlink()))
    return Entry(name, found.st_mode, size=found.st_size if stat.S_ISREG(found.st_mode) else 0)


def _note(entry: Entry, path: Path, root: Path) -> Note | None:
    """The note about an entry, if any."""
    if stat.S_ISREG(entry.mode) or stat.S_ISDIR(entry.mode):
        return None
    if not stat.S_ISLNK(entry.mode):
        return Note(entry.name, "is neither a file nor a directory")
    # Not resolved through other links: the target of the link itself counts.
    target = Path(os.path.normpath(path.parent / entry.target))
    if Path(entry.target).is_absolute() or not target.is_relative_to(root):
        return Note(entry.name, f"is a symbolic link out of the directory, to {printable(entry.target)}")
    return Note(entry.name, f"is a symbolic link to {printable(entry.target)}, kept as such", left_out=False)
