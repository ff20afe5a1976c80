"""The writer thread: group commit, so that all waiting writes share one transaction and one fsync."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from milepost.server import failpoints
from milepost.server.base.fault_log import FaultLog
from milepost.server.log.commit_times import CommitTimes
from milepost.server.log.event_log import Entry
from milepost.server.log.log_errors import (
    CommitFailed,
    Conflict,
    StoreDisplaced,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreLocked,
)
from milepost.server.log.sqlite import idle_connection, statements
from milepost.server.log.sqlite.append import coalesce_writes
from milepost.server.log.sqlite.transaction import Transaction, Write
from milepost.server.log.sqlite.wal_reserve import WalReserve
from milepost.server.log.sqlite.wal_upkeep import WalUpkeep
from milepost.server.log.store_files import StoreFiles

# Writes in one transaction, so that the first one does not wait for too many others.
_GROUP_LIMIT = 1000

# Interval in seconds at which an idle writer checks that the files are still in their places.
CHECK_INTERVAL = 1.0

# Longest time in milliseconds that a group of writes waits for the database's write lock, which another process may
# have; and the time once a group has waited in vain, until the lock is free again.
LOCK_WAIT = 5000
_LOCKED_WAIT = 200

_logger = structlog.get_logger("milepost.store")


class Outcome(NamedTuple):
    """The result of a write; ``error`` is None if it is durable. Of coalesced writes the last one has the entry."""

    write: Write
    entry: Entry | None
    error: Exception | None

    @property
    def is_part(self) -> bool:
        """Whether the entry, if there is one, comes with a later outcome."""
        return self.entry is None and self.error is None


class Writer:
    """Owner of the writing connection; it applies writes in the order of ``put``, while the files are in their places.

    ``times`` counts its commits by how long they take, with their sync.

    If the write-ahead log became shorter it calls ``verify`` with the last position, which raises StoreDisplaced if the
    files lack that.

    On its own thread it calls ``deliver`` with the outcomes of each group, in order; ``written`` with the last position
    after each committed group, and every ``CHECK_INTERVAL`` seconds without one; ``refused`` when it had to refuse
    writes for now, with whether another process has the database locked; ``unlocked`` when that is over; and ``failed``
    with the error after which it writes nothing more.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        position: int,
        files: StoreFiles,
        upkeep: WalUpkeep,
        reserve: WalReserve,
        times: CommitTimes,
        *,
        verify: Callable[[int], None],
        deliver: Callable[[Sequence[Outcome]], None],
        written: Callable[[int], None],
        refused: Callable[[bool], None],
        unlocked: Callable[[], None],
        failed: Callable[[StoreFailed], None],
    ) -> None:
        self._transaction = Transaction(connection, position)
        self._files = files
        self._upkeep = upkeep
        self._reserve = reserve
        self._times = times
        self._verify = verify
        self._wal_size = 0
        self._deliver = deliver
        self._written = written
        self._refused = refused
        self._unlocked = unlocked
        self._locked = False
        connection.execute(statements.set_busy_timeout(LOCK_WAIT))
        self._on_failed = failed
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._failed: StoreFailed | None = None
        self._refusals = FaultLog(_logger, "commit failed", logging.ERROR)
        self._thread = threading.Thread(target=self._run, name="milepost-writer", daemon=True)
        self._thread.start()

    def put(self, write: Write) -> None:
        """Queue a write."""
        self._queue.put(write)

    def close(self) -> None:
        """Finish the queued writes, end the thread and close the connection."""
        self._queue.put(None)
        self._thread.join()
        self._upkeep.close()
        self._transaction.connection.close()

    def _run(self) -> None:
        while self._write_next():
            pass

    def _write_next(self) -> bool:
        """Commit the writes that wait, or check the files where none comes; return False after the last one.

        A function, so that no write stays in memory until the next one comes.
        """
        try:
            waiting = [self._queue.get(timeout=CHECK_INTERVAL)]
        except queue.Empty:
            self._check()
            return True
        while len(waiting) < _GROUP_LIMIT and not self._queue.empty():
            waiting.append(self._queue.get_nowait())
        group = [write for write in waiting if write is not None]
        if group:
            position = self._transaction.position
            self._deliver(self._commit(group))
            # This may take several syncs, for which the next group waits, and this one does not.
            if self._transaction.position != position:
                self._written(self._transaction.position)
            self._keep_wal_short()
        return waiting[-1] is not None

    def _check(self) -> None:
        """While there is nothing to write, check the files, and a lock that another process had; collect runs; make
        room in the WAL; free cached pages.
        """
        if self._failed is not None:
            return
        try:
            self._check_files()
            if self._locked:
                self._begin()
                self._transaction.connection.execute(statements.ROLLBACK)
            elif self._transaction.runs.is_due:
                self._begin()
                self._transaction.runs.collect()
                self._transaction.connection.execute(statements.COMMIT)
            self._reserve_wal()
            idle_connection.free_memory(self._transaction.connection)
        except Exception as error:  # noqa: BLE001  # see ``_handle_failure``
            self._handle_failure(error)
        else:
            self._written(self._transaction.position)
            self._keep_wal_short()

    def _reserve_wal(self) -> None:
        while self._reserve.is_wanted and self._queue.empty():
            self._begin()
            # Another process may have moved the files since, and have put others there.
            self._check_wal()
            self._reserve.extend()
            self._transaction.connection.execute(statements.ROLLBACK)

    def _check_files(self) -> None:
        """Raise StoreDisplaced if a file is not in its place, or somebody cut committed pages off the WAL."""
        self._files.check()
        self._check_wal_size()

    def _check_wal(self) -> None:
        """As ``_check_files``, of the WAL only, before something is appended to it that would hide the cut."""
        self._files.check_wal()
        self._check_wal_size()

    def _check_wal_size(self) -> None:
        """A checkpoint of another process shortens the WAL as well, but loses nothing."""
        if self._files.wal_size < self._wal_size:
            self._verify(self._transaction.position)
        self._wal_size = self._files.wal_size

    def _keep_wal_short(self) -> None:
        if self._failed is None and not self._locked:
            try:
                self._upkeep.run()
            except Exception as error:  # noqa: BLE001  # see ``_handle_failure``
                self._handle_failure(error)

    def _begin(self) -> None:
        self._transaction.begin()
        if self._locked:
            self._set_locked(False)
            _logger.info("database unlocked")
            self._unlocked()

    def _set_locked(self, locked: bool) -> None:
        self._locked = locked
        wait = _LOCKED_WAIT if locked else LOCK_WAIT
        self._transaction.connection.execute(statements.set_busy_timeout(wait))

    def _commit(self, group: Sequence[Write]) -> Sequence[Outcome]:
        if self._failed is not None:
            return [Outcome(write, None, self._failed) for write in group]
        transaction = self._transaction
        position = transaction.position
        try:
            # What matters is that all files are in their places after the commit.
            self._check_wal()
            self._begin()
            outcomes = [
                outcome
                for write, merged_writes in coalesce_writes(group)
                for outcome in self._apply(write, merged_writes)
            ]
            if transaction.runs.is_due:
                transaction.runs.collect()
            failpoints.reach("commit.before")
            began = time.monotonic()
            transaction.execute(statements.COMMIT)
            self._times.note(time.monotonic() - began)
            failpoints.reach("commit.after")
            self._check_files()
        except Exception as error:  # noqa: BLE001  # see ``_handle_failure``
            transaction.position = position
            failure = self._handle_failure(error)
            return [Outcome(write, None, failure) for write in group]
        return outcomes

    def _apply(self, write: Write, merged_writes: Sequence[Write]) -> list[Outcome]:
        try:
            entry = write.write(self._transaction)
        except Conflict as conflict:
            return [Outcome(part, None, conflict) for part in merged_writes]
        return [
            *(Outcome(part, None, None) for part in merged_writes[:-1]),
            Outcome(merged_writes[-1], entry, None),
        ]

    def _handle_failure(self, error: Exception) -> StoreError:
        """Roll the group back, and return the error of its writes.

        A full disk and a lock of another process are transient; all else is for good.

        After a failed fsync the next commit can succeed although data is gone
        (https://wiki.postgresql.org/wiki/Fsync_Errors). The same goes for an error that nobody has thought of, such as
        that of a damaged row: if the thread ended with it, writes would wait for ever.
        """
        code = statements.primary_code(error)
        try:
            self._transaction.roll_back()
        except sqlite3.Error:
            code = 0
        if code == sqlite3.SQLITE_BUSY:
            return self._refuse_locked(error)
        if code == sqlite3.SQLITE_FULL:
            self._refusals.note(str(error), fatal=False, exc_info=error)
            self._refused(False)
            return StoreFull(str(error))
        if isinstance(error, StoreDisplaced):
            _logger.error("store files displaced", error=str(error))
            self._fail(error)
            return error
        _logger.error("commit failed", fatal=True, exc_info=error)
        self._fail(StoreFailed(str(error)))
        return CommitFailed(str(error))

    def _fail(self, error: StoreFailed) -> None:
        self._failed = error
        self._on_failed(error)

    def _refuse_locked(self, error: Exception) -> StoreLocked:
        if not self._locked:
            _logger.error(
                "database locked by another process; reads continue, writes fail", waited_ms=LOCK_WAIT
            )
            self._set_locked(True)
        self._refused(True)
        return StoreLocked(str(error))
