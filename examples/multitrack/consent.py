"""Audio of participants who did not agree to keep it: what is deleted, and the proof that it is gone.

What is to be deleted is written down, with its hashes, before the first file goes. So a crash in between leaves either
all of it or the list, and whoever comes next deletes the rest and proves the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from examples.multitrack.run_files import half_written, is_half_written, read_json, sha256_of, write_json

__all__ = ["Proof", "delete_withheld"]

LIST: Final = "withheld.json"
"""Name of the list in the directory of a run: hashes by path."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a search after the deletion has found.

    Attributes:
        deleted: Names of the deleted files.
        checked_files: Number of files that were looked through.
        remaining: Files with audio that should be gone.
    """

    deleted: tuple[str, ...]
    checked_files: int
    remaining: tuple[str, ...]


def delete_withheld(
    run: Path,
    files: Mapping[str, Path],
    known: Mapping[str, str],
    searched: Sequence[Path],
    check: Callable[[], None],
) -> Proof:
    """Delete files, and whatever the run has half written, and search for what they contained.

    Args:
        run: The directory of the run.
        files: The files to delete, by a name for people. Those that are gone already count as deleted.
        known: Hashes of files by the same names, which may be gone already.
        searched: The directories where no copy may remain.
        check: Called before each file; raises where the job is to stop.
    """
    hashes: dict[str, str] | None = read_json(run / LIST)
    if hashes is None:
        hashes = {**known, **{name: sha256_of(path) for name, path in files.items() if path.exists()}}
        write_json(run / LIST, hashes)
    # What an attempt was writing when it was killed, nobody completes: the next one writes under another name.
    for path in (*files.values(), *half_written(run)):
        check()
        path.unlink(missing_ok=True)
    forbidden = set(hashes.values())
    remaining, checked = [], 0
    for file in _files(searched):
        check()
        checked += 1
        # Something half written has another hash than the whole: nothing of that kind may be there at all.
        if file in files.values() or is_half_written(file) or sha256_of(file) in forbidden:
            remaining.append(str(file))
    return Proof(tuple(sorted(hashes)), checked, tuple(remaining))


def _files(directories: Sequence[Path]) -> Iterator[Path]:
    for directory in directories:
        yield from sorted(path for path in directory.rglob("*") if path.is_file())
