"""The node's projection of the stream: a disposable SQLite database.

It records the last applied message in the same transaction as that message's changes, so that it resumes exactly
there. It need not survive a power cut intact, since the stream has everything that it may lose.
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
from milepost.server.log.sqlite.log_copy import LogCopy, copy_log
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.schema import migrate
from milepost.server.log.sqlite.transaction import Transaction
from milepost.server.log.sqlite.writer import CHECK_INTERVAL
from milepost.server.log.store_files import StoreFiles, connect, create

_log = structlog.get_logger("milepost.store")

_FILE_NAME: Final = "projection.db"

# Messages in one transaction at most.
_GROUP_LIMIT = 1000


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
    which it applies nothing more.
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
        """Discard the database and create an empty one for this epoch."""
        self._connection.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(_FILE_NAME + suffix).unlink(missing_ok=True)
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

    def put(self, delivered: DeliveredMessage) -> None:
        """Queue the next message."""
        self._queue.put(delivered)

    def close(self) -> None:
        """Apply the queued messages and end."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
        self._connection.close()

    async def copy_to(self, path: Path) -> LogCopy:
        """See ``Store``."""
        return await copy_log(lambda: self._files.opening(self._connect), path)

    def reader(self, epoch: str) -> ProjectionReader:
        """Open a reader with a connection of its own."""
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
            except Exception as error:  # noqa: BLE001  # no error may lead to a gap in what is applied
                _log.exception("projection failed")
                self._deliver(error)
                return
            self._deliver(applied)

    def _next_group(self) -> tuple[list[DeliveredMessage], bool]:
        """Return the next messages, none after ``CHECK_INTERVAL`` without any; and whether they are the last."""
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
        return connect(self._path, statements.PROJECTION_PRAGMAS)
