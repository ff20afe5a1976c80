"""The identity of a store, and how the loss of a part of it is noticed.

Beside the database lies a mark: the epoch, the file that the database was, and the last position that was written. A
database that is another file than the mark says, or that has lost positions, was restored or replaced. Cursors into
what it was would be misread, so it gets a new epoch, and subscribers are told (rule 4). Moving the database by copying
it counts as replacing it: the copy and the original could go on side by side.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import structlog

_log = structlog.get_logger("milepost.store")


class Mark(NamedTuple):
    """What was last known of a database."""

    epoch: str
    inode: int
    position: int


# How often the mark is renewed under way, in seconds. What was written since is not missed by it after a crash.
_RENEWAL = 1.0


class EpochMark:
    """The mark in its file."""

    def __init__(self, path: Path, database: Path) -> None:
        self._path = path
        self._inode = database.stat().st_ino
        self._epoch = ""
        self._renewed = 0.0

    def settle(self, epoch: str | None, position: int) -> str:
        """The epoch, from now on, of a database that had ``epoch`` (None: it is new) and ends at ``position``."""
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
        """Notes that everything up to the position is durable; at most once a second unless ``now``."""
        clock = time.monotonic()
        if now or clock - self._renewed >= _RENEWAL:
            self._renewed = clock
            try:
                self._write(json.dumps(Mark(self._epoch, self._inode, position)._asdict()))
            except OSError as error:  # the mark stays behind, and tells less; the log is not concerned
                _log.warning("the epoch's mark was not renewed", error=str(error))

    def _write(self, text: str) -> None:
        """Synced before it takes the other's place: after a power cut there is one or the other, and whole."""
        temporary = self._path.with_suffix(".new")
        with temporary.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _read(self) -> Mark | None:
        try:
            return Mark(**json.loads(self._path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
