"""The node's projection of the stream: a SQLite database that the node can make again from the stream.

It records the last applied message in the same transaction as that message's changes, so that it resumes exactly
there. It need not survive a power cut intact, since the stream has everything that it may lose.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from milepost.server.log.database_lock import DatabaseLock
from milepost.server.log.jetstream import set_aside
from milepost.server.log.jetstream.applier import (
    SCHEMA,
    AppliedMessage,
    Applier,
    DeliveredMessage,
    JobHead,
    head_of,
)
from milepost.server.log.jetstream.drop_plans import DropPlan, JobRows, Planner
from milepost.server.log.jetstream.purged_jobs import PENDING, TooFarBehind
from milepost.server.log.jetstream.records import STRIDE
from milepost.server.log.log_errors import StoreDisplaced
from milepost.server.log.sqlite import idle_connection, statements
from milepost.server.log.sqlite.log_copy import LogCopy, copy_log
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.schema import migrate
from milepost.server.log.sqlite.transaction import Transaction
from milepost.server.log.sqlite.wal_upkeep import WalUpkeep
from milepost.server.log.sqlite.writer import CHECK_INTERVAL
from milepost.server.log.store_files import StoreFiles, connect, create
from milepost.server.scheduling.steps import Steps

_logger = structlog.get_logger("milepost.store")

FILE_NAME: Final = "projection.db"

_UNPURGED: Final = "SELECT job_id, sequence FROM unpurged LIMIT ?"
_FORGET_UNPURGED: Final = "DELETE FROM unpurged WHERE job_id = ? AND sequence <= ?"

# Longest time in milliseconds that the writer waits for a lock of another process before it reports it.
LOCK_WAIT = 5000

# Messages in one transaction at most, and their bytes from which on none is added.
_GROUP_LIMIT = 1000
_GROUP_BYTES = 4 << 20


class ProjectionReader(Reader):
    """Queries of the projection, including those that appends need."""

    def __init__(self, connection: sqlite3.Connection, epoch: str) -> None:
        super().__init__(connection, epoch, stride=STRIDE)
        self._rows = connection

    def head(self, job_id: str) -> JobHead:
        """Return the end of the job's log."""
        return head_of(self._rows, job_id)

    def pending(self) -> int:
        """Count the pending jobs; see ``purged_jobs``."""
        (count,) = self._rows.execute(PENDING).fetchone()
        return int(count)

    def drop(self, job_id: str, plan: Planner) -> DropPlan | None:
        """Plan a drop of the job. Raises Conflict."""
        with self._snapshot():
            return plan(JobRows(self._rows, job_id))


class Projection:
    """The database in ``directory`` and its writer thread, which works while the files are in their places.

    On that thread it calls ``deliver`` with the results of each group of messages, in order, or with the error after
    which it applies nothing more; and ``on_fault`` with what keeps it from applying for now, empty when that is over.

    Raises DatabaseInUse, SchemaTooNew, sqlite3.Error.
    """

    def __init__(
        self,
        directory: Path,
        files: StoreFiles,
        deliver: Callable[[Sequence[AppliedMessage] | Exception], None],
        on_fault: Callable[[str], None] = lambda fault: None,
    ) -> None:
        self._path = directory / FILE_NAME
        self._files = files
        self._deliver = deliver
        self._on_fault = on_fault
        self._closing = threading.Event()
        self._drops_idle = threading.Event()
        self._lock: DatabaseLock | None = None
        self._connection = self._open()
        self._queue: queue.SimpleQueue[DeliveredMessage | None] = queue.SimpleQueue()
        self._purged: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._applier: Applier | None = None

    @property
    def epoch(self) -> str:
        """The epoch of its stream; empty if it is new."""
        return self._meta("epoch") or ""

    @property
    def applied(self) -> int:
        """The sequence of the last applied message, before ``start``."""
        return int(self._meta("applied") or 0)

    @property
    def applied_name(self) -> bytes:
        """The name of that message."""
        return bytes.fromhex(self._meta("applied_name") or "")

    @property
    def position(self) -> int:
        """The position of the newest entry, before ``start``."""
        (position,) = self._connection.execute(statements.LAST_POSITION).fetchone()
        return int(position)

    def renew(self, epoch: str) -> None:
        """Create an empty database for this epoch. Set the present one aside if it has any job.

        Raises StoreFailed if there are too many already.
        """
        (has_jobs,) = self._connection.execute("SELECT EXISTS (SELECT 1 FROM jobs)").fetchone()
        before, applied = self.epoch, self.applied
        aside = set_aside.new_path(self._path, before) if has_jobs else None
        self._connection.execute(statements.CHECKPOINT_WAL)
        self._close()
        if aside is None:
            set_aside.delete(self._path)
        else:
            set_aside.rename(self._path, aside)
            _logger.error(
                "projection of another epoch set aside", path=str(aside), epoch=before, applied=applied
            )
        self._connection = self._open()
        self._connection.execute(statements.SET_META, ("epoch", epoch))

    def start(self) -> None:
        """Start the writer thread."""
        self._applier = applier = Applier(self._connection)
        self._thread = threading.Thread(
            target=self._run, args=[applier], name="milepost-projection", daemon=True
        )
        self._thread.start()

    def allow_pending(self, allowed: bool) -> None:
        """Set whether jobs may be pending (see ``purged_jobs``): not while the node serves."""
        assert self._applier is not None
        self._applier.allow_pending(allowed)

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of folded jobs, soon and on the writer's thread, which has them."""
        self._drops_idle.set()
        yield from ()

    def put(self, delivered: DeliveredMessage) -> None:
        """Queue the next message."""
        self._queue.put(delivered)

    async def unpurged(self, limit: int) -> Mapping[str, int]:
        """Return some deleted jobs, with the messages before which this node has yet to purge theirs.

        Raises StoreDisplaced, sqlite3.Error.
        """
        return await asyncio.to_thread(self._read_unpurged, limit)

    def _read_unpurged(self, limit: int) -> Mapping[str, int]:
        with closing(self._connect()) as connection:
            return dict(connection.execute(_UNPURGED, (limit,)).fetchall())

    def purged(self, job_id: str, sequence: int) -> None:
        """Note soon that the messages of a job before this one are purged."""
        self._purged.put((job_id, sequence))

    def close(self) -> None:
        """Apply the queued messages and end; those stay in the stream that a lock of another process holds up."""
        self._closing.set()
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
        self._close()

    def _close(self) -> None:
        self._connection.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def copy_to(self, path: Path) -> LogCopy:
        """See ``Store``."""
        return await copy_log(self._connect, path)

    def reader(self, epoch: str) -> ProjectionReader:
        """Open a reader with a connection of its own."""
        return ProjectionReader(self._connect(), epoch)

    def _run(self, applier: Applier) -> None:
        transaction = Transaction(self._connection, 0)
        self._connection.execute(statements.set_busy_timeout(LOCK_WAIT))
        with closing(WalUpkeep(self._connection, self._path, self._connect)) as upkeep:
            while self._apply_next(applier, transaction, upkeep):
                pass

    def _apply_next(self, applier: Applier, transaction: Transaction, upkeep: WalUpkeep) -> bool:
        """Apply the messages that wait, or collect runs and free cached pages where none comes; return False after the
        last one.

        A function, so that no message stays in memory until the next one comes.
        """
        group, is_last = self._next_group()
        if self._drops_idle.is_set():
            self._drops_idle.clear()
            applier.evict_idle()
        try:
            self._files.check()
            upkeep.run()
            if not group and not transaction.runs.is_due and self._purged.empty():
                idle_connection.free_memory(self._connection)
                return not is_last
            if not self._begin(transaction):
                return False
            applied = [applier.apply(transaction, delivered) for delivered in group]
            if group:
                last = group[-1]
                self._connection.execute(statements.SET_META, ("applied", last.sequence))
                self._connection.execute(statements.SET_META, ("applied_name", last.name.hex()))
            if transaction.runs.is_due:
                transaction.runs.collect()
            while not self._purged.empty():
                self._connection.execute(_FORGET_UNPURGED, self._purged.get_nowait())
            self._connection.execute(statements.COMMIT)
            self._files.check()
        except (TooFarBehind, StoreDisplaced) as error:
            self._deliver(error)
            return False
        except Exception as error:  # no error may lead to a gap in what is applied
            _logger.exception("projection failed")
            self._deliver(error)
            return False
        if applied:
            self._deliver(applied)
        return not is_last

    def _begin(self, transaction: Transaction) -> bool:
        """Begin a transaction, however long another process has the database locked; False if the log closes first."""
        locked = False
        while True:
            try:
                transaction.begin()
            except sqlite3.Error as error:
                if statements.primary_code(error) != sqlite3.SQLITE_BUSY:
                    raise
                if not locked:
                    self._on_fault(f"Another process has locked {str(self._path)!r}.")
                locked = True
                if self._closing.is_set():
                    return False
            else:
                if locked:
                    self._on_fault("")
                return True

    def _next_group(self) -> tuple[list[DeliveredMessage], bool]:
        """Return the next messages, none after ``CHECK_INTERVAL`` without any; and whether they are the last."""
        group: list[DeliveredMessage] = []
        size = 0
        try:
            waiting = self._queue.get(timeout=CHECK_INTERVAL)
        except queue.Empty:
            return group, False
        while waiting is not None:
            group.append(waiting)
            size += waiting.size
            if len(group) == _GROUP_LIMIT or size >= _GROUP_BYTES:
                return group, False
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _meta(self, name: str) -> str | None:
        row = self._connection.execute(statements.GET_META, (name,)).fetchone()
        return None if row is None else str(row[0])

    def _open(self) -> sqlite3.Connection:
        create(self._path)
        self._lock = DatabaseLock(self._path)
        try:
            connection = self._open_existing()
            migrate(connection)
            for table in SCHEMA:
                connection.execute(table)
            self._files.watch_database(self._path)
        except BaseException:
            self._lock.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        return self._files.opening(self._open_existing)

    def _open_existing(self) -> sqlite3.Connection:
        return connect(self._path, statements.PROJECTION_PRAGMAS)
