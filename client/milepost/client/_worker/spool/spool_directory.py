"""The spool: a directory for what workers could not tell before they had to stop, until another one can.

A report is a file, ``OWNER.JOB.DIGEST.report``. Its owner is a worker, which keeps ``OWNER.lock`` locked for as long as
it lives, however it ends. So workers may share a directory: one that starts takes over what belongs to the dead.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
import uuid
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError

from milepost.contract import private_files
from milepost.v1 import Report

__all__ = ["Spool"]

_log = logging.getLogger("milepost.client")

_REPORT: Final = ".report"
_LOCK: Final = ".lock"
_BROKEN: Final = ".broken"
_NEW: Final = ".new"
_OURS: Final = (_REPORT, _LOCK, _BROKEN, _NEW)


class Spool:
    """One worker's part of the directory. What is kept holds lease tokens, so that others may not read it.

    Attributes:
        left: What workers that are dead have left. It belongs to this one now.
    """

    def __init__(self, directory: Path) -> None:
        """Makes the directory if it is not there.

        Raises:
            OSError: It cannot be written.
            ValueError: On Windows, which does not have the locks.
        """
        if sys.platform == "win32":
            raise ValueError("A spool needs file locks, which Windows does not have.")
        self._directory = directory
        # What is kept, by job and lease token.
        self._reports: dict[tuple[str, str], Report] = {}
        self._owner = ""
        self._lock: int | None = None
        self._closed = False
        self._move_in()
        try:
            self._take_over()
            self.left = [report for path in self._mine() if (report := _read(path)) is not None]
        except OSError:
            self.close()
            raise
        self._reports = {(report.job_id, report.lease_token): report for report in self.left}

    def keep(self, report: Report) -> None:
        """Keeps what an attempt has left to tell, in place of what was kept of it before. Durable when this returns.

        A directory that somebody has deleted meanwhile is made again, with everything that was kept in it.

        Raises:
            OSError: It cannot be written.
        """
        self._reports[report.job_id, report.lease_token] = report
        if self._is_in_place():
            self._write(report)
        else:
            self._move_in()

    def _write(self, report: Report) -> None:
        path = self._path(report.job_id, report.lease_token)
        new = path.with_suffix(_NEW)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(report.SerializeToString())
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
        self._sync()

    def forget(self, job_id: str, lease_token: str) -> None:
        """There is nothing left to tell of this attempt.

        Raises:
            OSError: The directory cannot be written.
        """
        self._reports.pop((job_id, lease_token), None)
        self._path(job_id, lease_token).unlink(missing_ok=True)

    def close(self) -> None:
        """Leaves what is still there to the next worker that starts."""
        if self._closed:
            return
        self._closed = True
        if self._reports and not self._is_in_place():
            try:
                self._move_in()
            except OSError as error:
                _log.error("%s was deleted, and cannot be made again: %s", self._directory, error)
        if self._lock is not None:
            if not self._mine():
                with contextlib.suppress(OSError):
                    self._path_of_lock(self._owner).unlink(missing_ok=True)
            os.close(self._lock)

    def _move_in(self) -> None:
        """Makes the directory where it is not there, with a lock for an owner of its own, and what is kept."""
        if not private_files.make_directory(self._directory):
            _log.warning("others may list %s, and this user cannot change that", self._directory)
        for path in self._directory.iterdir():
            if path.suffix in _OURS:
                private_files.tighten(path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        while (
            self._lock is None
        ):  # another worker that starts may take a new lock for one that was left behind
            self._owner = uuid.uuid4().hex
            self._lock = _lock(self._path_of_lock(self._owner))
        for report in self._reports.values():
            self._write(report)

    def _is_in_place(self) -> bool:
        """Whether the lock is where it was: without it, others take this worker for dead."""
        return self._lock is not None and _is_at(self._path_of_lock(self._owner), self._lock)

    def _take_over(self) -> None:
        left = {
            path.name.split(".")[0] for path in self._directory.iterdir() if path.suffix in (_LOCK, _REPORT)
        }
        for owner in left - {self._owner}:
            lock = _lock(self._path_of_lock(owner))
            if lock is None:  # it is alive
                continue
            for path in self._directory.glob(f"{owner}.*"):
                if path.suffix == _REPORT:
                    path.rename(path.with_name(path.name.replace(owner, self._owner, 1)))
                elif path.suffix == _NEW:  # it died before that was whole
                    path.unlink()
            self._path_of_lock(owner).unlink(missing_ok=True)
            os.close(lock)

    def _mine(self) -> list[Path]:
        return sorted(self._directory.glob(f"{self._owner}.*{_REPORT}"))

    def _path(self, job_id: str, lease_token: str) -> Path:
        digest = hashlib.sha256(lease_token.encode()).hexdigest()[:16]
        return self._directory / f"{self._owner}.{job_id}.{digest}{_REPORT}"

    def _path_of_lock(self, owner: str) -> Path:
        return self._directory / f"{owner}{_LOCK}"

    def _sync(self) -> None:
        """Makes names durable."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _lock(path: Path) -> int | None:
    """The locked file; None where somebody else has it, or had it until now."""
    import fcntl  # noqa: PLC0415 - Windows does not have it

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(path, descriptor):
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one at the path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _read(path: Path) -> Report | None:
    """What a file holds; one that makes no sense is put aside."""
    try:
        report = Report.FromString(path.read_bytes())
        if report.job_id and report.updates:
            return report
    except DecodeError:
        pass
    aside = path.with_suffix(_BROKEN)
    path.rename(aside)
    _log.error("%s is not what a worker has kept; it is put aside", aside)
    return None
