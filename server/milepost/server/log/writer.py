"""The one thread that writes: whatever waits goes into one transaction, so that many commits share one fsync."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from milepost.server import failpoints
from milepost.server.log import statements
from milepost.server.log.appending import together
from milepost.server.log.event_log import Conflict, Entry, StoreFailed, StoreFull
from milepost.server.log.transaction import Transaction, Write

# A group is bounded so that its first write does not wait for too many others.
_GROUP_MOST = 1000

_log = structlog.get_logger("milepost.store")


class Outcome(NamedTuple):
    """What became of a write; ``error`` is None where it is durable. Of joined ones the last has the entry."""

    write: Write
    entry: Entry | None
    error: Exception | None


class Writer:
    """Owns the connection that writes, in the order in which the writes were put.

    ``deliver`` is called on the writer's thread with the outcomes of each group, in order; ``written`` with the last
    position after each group that was committed.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        position: int,
        deliver: Callable[[Sequence[Outcome]], None],
        written: Callable[[int], None],
    ) -> None:
        self._transaction = Transaction(connection, position)
        self._deliver = deliver
        self._written = written
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._failed: StoreFailed | None = None
        self._thread = threading.Thread(target=self._run, name="milepost-writer", daemon=True)
        self._thread.start()

    def put(self, write: Write) -> None:
        """Queues a write."""
        self._queue.put(write)

    def close(self) -> None:
        """Writes what is queued, then ends the thread and closes the connection."""
        self._queue.put(None)
        self._thread.join()
        self._transaction.connection.close()

    def _run(self) -> None:
        closing = False
        while not closing:
            waiting = [self._queue.get()]
            while len(waiting) < _GROUP_MOST:
                try:
                    waiting.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            closing = waiting[-1] is None
            group = [write for write in waiting if write is not None]
            if group:
                self._deliver(self._commit(group))

    def _commit(self, group: Sequence[Write]) -> Sequence[Outcome]:
        if self._failed is not None:
            return [Outcome(write, None, self._failed) for write in group]
        transaction = self._transaction
        position = transaction.position
        try:
            transaction.connection.execute(statements.BEGIN)
            outcomes = [
                outcome for write, parts in together(group) for outcome in self._attempt(write, parts)
            ]
            failpoints.reach("commit.before")
            transaction.connection.execute(statements.COMMIT)
            failpoints.reach("commit.after")
        except (sqlite3.Error, ArithmeticError, TypeError, ValueError) as error:
            transaction.position = position
            failure = self._failure(error)
            _log.exception("commit failed", fatal=self._failed is not None)
            return [Outcome(write, None, failure) for write in group]
        self._written(transaction.position)
        return outcomes

    def _attempt(self, write: Write, parts: Sequence[Write]) -> list[Outcome]:
        try:
            entry = write.write(self._transaction)
        except Conflict as conflict:
            return [Outcome(part, None, conflict) for part in parts]
        return [*(Outcome(part, None, None) for part in parts[:-1]), Outcome(parts[-1], entry, None)]

    def _failure(self, error: Exception) -> StoreFull | StoreFailed:
        """Nothing of the group is kept. A full disk may have room again; after any other error nothing is sure.

        (After a failed fsync the next commit can succeed although data is gone: see
        https://wiki.postgresql.org/wiki/Fsync_Errors.)
        """
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        connection = self._transaction.connection
        try:
            if connection.in_transaction:
                connection.execute(statements.ROLLBACK)
        except sqlite3.Error:
            full = False
        if full:
            return StoreFull(str(error))
        self._failed = StoreFailed(str(error))
        return self._failed
