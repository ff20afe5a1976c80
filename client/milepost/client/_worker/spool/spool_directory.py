"""The spool: a directory of reports that workers could not deliver before they stopped, for the next worker to deliver.

Each report is a file, ``OWNER.JOB.DIGEST.report``. Its owner is a worker, which holds a lock on ``OWNER.lock`` while it
lives. So workers may share a directory: one that starts takes over the reports of dead owners.
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

from milepost.client._transport import after_fork
from milepost.contract import private_files
from milepost.v1 import Report

__all__ = ["SpoolDirectory"]

_logger = logging.getLogger("milepost.client")

_REPORT: Final = ".report"
_LOCK: Final = ".lock"
_MALFORMED_SUFFIX: Final = ".broken"
_TEMPORARY_SUFFIX: Final = ".new"
_SUFFIXES: Final = (_REPORT, _LOCK, _MALFORMED_SUFFIX, _TEMPORARY_SUFFIX)


class SpoolDirectory:
    """One worker's part of the directory. Reports hold lease tokens, so only the user may read them.

    Attributes:
        recovered: Undelivered reports of dead workers, which this worker owns now.
    """

    def __init__(self, directory: Path) -> None:
        """Create the directory if it does not exist.

        Raises:
            OSError: The directory cannot be written.
            ValueError: The system is Windows, which does not have the locks.
        """
        if sys.platform == "win32":
            raise ValueError("A spool needs file locks, which Windows does not have.")
        self._directory = directory
        # Spooled reports by job id and lease token.
        self._reports: dict[tuple[str, str], Report] = {}
        self._owner = ""
        self._lock: int | None = None
        self._closed = False
        after_fork.register(self)
        self._create()
        try:
            self._take_over_dead()
            self.recovered: list[Report] = [
                report for path in self._report_paths() if (report := _read(path)) is not None
            ]
        except OSError:
            self.close()
            raise
        self._reports = {(report.job_id, report.lease_token): report for report in self.recovered}

    def write(self, report: Report) -> None:
        """Write the report of an attempt, replacing an earlier one. Durable when this returns.

        A directory that was deleted meanwhile is created again, with all of its reports.

        Raises:
            OSError: The directory cannot be written.
        """
        if self._closed:
            raise OSError(f"The spool {self._directory} is closed, or belongs to the parent of this process.")
        self._reports[report.job_id, report.lease_token] = report
        if self._is_in_place():
            self._write_file(report)
        else:
            self._create()

    def _write_file(self, report: Report) -> None:
        path = self._path(report.job_id, report.lease_token)
        new = path.with_suffix(_TEMPORARY_SUFFIX)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(report.SerializeToString())
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
        self._sync()

    def remove(self, job_id: str, lease_token: str) -> None:
        """Remove the report of an attempt.

        Raises:
            OSError: The directory cannot be written.
        """
        self._reports.pop((job_id, lease_token), None)
        self._path(job_id, lease_token).unlink(missing_ok=True)

    def after_fork(self) -> None:
        """See `Inherited`: the reports are the parent's, whose lock would outlive it in the child."""
        self._closed = True
        self._reports.clear()
        with contextlib.suppress(OSError):  # another thread was closing it
            self._release_lock()

    def close(self) -> None:
        """Release the lock, and leave the remaining reports to the next worker.

        An error of the disk goes to the log: raised here, it would replace that of a block, or its cancellation.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._reports and not self._is_in_place():
                self._create()
        except OSError as error:
            _logger.error("the spool %s is gone and cannot be created again: %s", self._directory, error)
        if self._lock is not None:
            with contextlib.suppress(OSError):
                if not self._report_paths():
                    self._lock_path(self._owner).unlink(missing_ok=True)
            self._release_lock()

    def _release_lock(self) -> None:
        """Close the lock's file. Its number may be another file's next, which a fork must not take for the lock."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _create(self) -> None:
        """Create the directory if it does not exist, lock a new owner id, and write all reports."""
        if not private_files.make_directory(self._directory):
            _logger.warning(
                "other users may list the spool %s, and this user cannot change that", self._directory
            )
        for path in self._directory.iterdir():
            if path.suffix in _SUFFIXES:
                private_files.tighten(path)
        self._release_lock()
        # Another worker that starts may take the new lock for that of a dead owner.
        while self._lock is None:
            self._owner = uuid.uuid4().hex
            self._lock = _lock(self._lock_path(self._owner))
        for report in self._reports.values():
            self._write_file(report)

    def _is_in_place(self) -> bool:
        """Whether the lock file still exists: without it, other workers consider this one dead."""
        return self._lock is not None and _is_at(self._lock_path(self._owner), self._lock)

    def _take_over_dead(self) -> None:
        owners = {
            path.name.split(".")[0] for path in self._directory.iterdir() if path.suffix in (_LOCK, _REPORT)
        }
        for owner in owners - {self._owner}:
            lock = _lock(self._lock_path(owner))
            if lock is None:  # its owner is alive
                continue
            for path in self._directory.glob(f"{owner}.*"):
                if path.suffix == _REPORT:
                    path.rename(path.with_name(path.name.replace(owner, self._owner, 1)))
                elif path.suffix == _TEMPORARY_SUFFIX:  # its owner died while writing it
                    path.unlink()
            self._lock_path(owner).unlink(missing_ok=True)
            os.close(lock)

    def _report_paths(self) -> list[Path]:
        return sorted(self._directory.glob(f"{self._owner}.*{_REPORT}"))

    def _path(self, job_id: str, lease_token: str) -> Path:
        digest = hashlib.sha256(lease_token.encode()).hexdigest()[:16]
        return self._directory / f"{self._owner}.{job_id}.{digest}{_REPORT}"

    def _lock_path(self, owner: str) -> Path:
        return self._directory / f"{owner}{_LOCK}"

    def _sync(self) -> None:
        """Make renames durable."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _lock(path: Path) -> int | None:
    """Lock a file and return its descriptor; None if another worker holds the lock, or has just removed the file."""
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
    """Whether the path names the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _read(path: Path) -> Report | None:
    """Parse the report in a file; set a malformed file aside."""
    try:
        report = Report.FromString(path.read_bytes())
        if report.job_id and report.updates:
            return report
    except DecodeError:
        pass
    aside = path.with_suffix(_MALFORMED_SUFFIX)
    path.rename(aside)
    _logger.error("malformed report in the spool, set aside as %s", aside)
    return None
