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


class _MarkContent(NamedTuple):
    """What was last known of a database."""

    epoch: str
    inode: int
    position: int


# How often the mark is renewed under way, in seconds. What was written since is not missed by it after a crash.
_RENEWAL_INTERVAL = 1.0


class EpochMark:
    """The mark in its file at ``path``; it stays in its directory where that is moved. ``close`` it in the end."""

    def __init__(self, path: Path, database: Path) -> None:
        self._name = path.name
        self._directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        self._inode = database.stat().st_ino
        self._epoch = ""
        self._renewed = 0.0
        self._position = -1

    def resolve_epoch(self, epoch: str | None, position: int) -> str:
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
        """Notes that everything up to the position is durable; at most once a second unless ``now``.

        Nothing is written where the mark is there and says so already.
        """
        clock = time.monotonic()
        if now or clock - self._renewed >= _RENEWAL_INTERVAL:
            self._renewed = clock
            try:
                if position != self._position or not self._is_there():
                    self._write(json.dumps(_MarkContent(self._epoch, self._inode, position)._asdict()))
                    self._position = position
            except OSError as error:  # the mark stays behind, and tells less; the log is not concerned
                _log.warning("the epoch's mark was not renewed", error=str(error))

    def close(self) -> None:
        """Lets go of the directory."""
        os.close(self._directory)

    def _is_there(self) -> bool:
        try:
            os.stat(self._name, dir_fd=self._directory)
        except FileNotFoundError:
            return False
        return True

    def _write(self, text: str) -> None:
        """Synced before it takes the other's place: after a power cut there is one or the other, and whole."""
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
