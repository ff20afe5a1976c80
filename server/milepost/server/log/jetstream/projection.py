"""The node's own copy of what the stream says: a SQLite database that can be thrown away and made again.

It knows which message it has applied last, in the same transaction as what that message changed, so that it goes on
exactly there. It need not survive a power cut whole: what it then lacks, the stream has.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from milepost.server.log.event_log import StoreDisplaced
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
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.schema import migrate
from milepost.server.log.sqlite.transaction import Transaction
from milepost.server.log.sqlite.writer import CHECK_INTERVAL
from milepost.server.log.store_files import StoreFiles, connect, create

_log = structlog.get_logger("milepost.store")

_FILE_NAME: Final = "projection.db"
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA cache_size = -65536",
)

# How many messages go into one transaction at the most.
_GROUP_LIMIT = 1000


class ProjectionReader(Reader):
    """Reads the projection, also for those who append."""

    def __init__(self, connection: sqlite3.Connection, epoch: str) -> None:
        super().__init__(connection, epoch, stride=STRIDE)
        self._rows = connection

    def head(self, job_id: str) -> JobHead:
        """Where the job's log ends."""
        return head_of(self._rows, job_id)

    def pending(self) -> int:
        """How many jobs are not whole yet."""
        (count,) = self._rows.execute(PENDING).fetchone()
        return int(count)

    def drop(self, job_id: str, plan: Planner) -> DropPlan | None:
        """What the plan makes of the job. Raises Conflict."""
        with self._snapshot():
            return plan(JobRows(self._rows, job_id))


class Projection:
    """The database in ``directory``, and the one thread that writes it, while its files are where they were.

    ``deliver`` is called on that thread with what became of each group of messages, in order; or with the error after
    which nothing more is applied.
    """

    def __init__(
        self,
        directory: Path,
        files: StoreFiles,
        deliver: Callable[[Sequence[AppliedMessage] | Exception], None],
    ) -> None:
        self._path = directory / _FILE_NAME
        self._files = files
        self._deliver = deliver
        self._connection = self._open()
        self._queue: queue.SimpleQueue[DeliveredMessage | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._applier: Applier | None = None

    @property
    def epoch(self) -> str:
        """The epoch of the stream that it was made from; empty where it is new."""
        return self._meta("epoch") or ""

    @property
    def applied(self) -> int:
        """The message that was applied last; as of before ``start``."""
        return int(self._meta("applied") or 0)

    @property
    def applied_name(self) -> bytes:
        """By which name that message is known again."""
        return bytes.fromhex(self._meta("applied_name") or "")

    @property
    def position(self) -> int:
        """The newest place among all jobs' commits that it knows; as of before ``start``."""
        (position,) = self._connection.execute(statements.LAST_POSITION).fetchone()
        return int(position)

    def renew(self, epoch: str) -> None:
        """Throws away what there is; what comes is of another epoch."""
        self._connection.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(_FILE_NAME + suffix).unlink(missing_ok=True)
        self._connection = self._open()
        self._connection.execute(statements.SET_META, ("epoch", epoch))

    def start(self) -> None:
        """From now on messages can be put."""
        self._applier = applier = Applier(self._connection)
        self._thread = threading.Thread(
            target=self._run, args=[applier], name="milepost-projection", daemon=True
        )
        self._thread.start()

    def allow_pending(self, may: bool) -> None:
        """Whether there may be jobs whose beginning was purged before it was read: not while they are shown."""
        assert self._applier is not None
        self._applier.purged.allowed = may

    def put(self, delivered: DeliveredMessage) -> None:
        """Queues the next message."""
        self._queue.put(delivered)

    def close(self) -> None:
        """Applies what is queued, and ends."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
        self._connection.close()

    def reader(self, epoch: str) -> ProjectionReader:
        """A reader with a connection of its own."""
        return ProjectionReader(self._files.opening(self._connect), epoch)

    def _run(self, applier: Applier) -> None:
        transaction = Transaction(self._connection, 0)
        closing = False
        while not closing:
            group, closing = self._next_group()
            try:
                self._files.check()
                if not group:
                    continue
                self._connection.execute(statements.BEGIN)
                applied = [applier.apply(transaction, delivered) for delivered in group]
                last = group[-1]
                self._connection.execute(statements.SET_META, ("applied", last.sequence))
                self._connection.execute(statements.SET_META, ("applied_name", last.name.hex()))
                self._connection.execute(statements.COMMIT)
                self._files.check()
            except (TooFarBehind, StoreDisplaced) as error:
                self._deliver(error)
                return
            except Exception as error:  # noqa: BLE001  # whatever it is, nothing may be applied over a gap
                _log.exception("the projection cannot go on")
                self._deliver(error)
                return
            self._deliver(applied)

    def _next_group(self) -> tuple[list[DeliveredMessage], bool]:
        """What to apply next, nothing after ``CHECK_INTERVAL`` without any; and whether it is the last."""
        group: list[DeliveredMessage] = []
        try:
            waiting = self._queue.get(timeout=CHECK_INTERVAL)
        except queue.Empty:
            return group, False
        while waiting is not None:
            group.append(waiting)
            if len(group) == _GROUP_LIMIT:
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
        connection = self._connect()
        migrate(connection)
        connection.execute(SCHEMA)
        self._files.watch_database(self._path)
        return connection

    def _connect(self) -> sqlite3.Connection:
        return connect(self._path, _PRAGMAS)
