"""The one thread that writes: whatever waits goes into one transaction, so that many commits share one fsync."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from milepost.server.log import statements
from milepost.server.log.event_log import Commit, Conflict, StoreFailed, StoreFull

# A group is bounded so that its first commit does not wait for too many others.
_GROUP_MOST = 1000

_log = structlog.get_logger("milepost.store")


class Outcome(NamedTuple):
    """What became of a commit; ``error`` is None where it is durable."""

    commit: Commit
    error: Exception | None


class Writer:
    """Owns the connection that writes. Commits are written in the order in which they were put.

    ``deliver`` is called on the writer's thread with the outcomes of each group, in order; ``written`` with the last
    position after each group that was committed.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        deliver: Callable[[Sequence[Outcome]], None],
        written: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._deliver = deliver
        self._written = written
        self._queue: queue.SimpleQueue[Commit | None] = queue.SimpleQueue()
        self._failed: StoreFailed | None = None
        self._position = 0
        self._thread = threading.Thread(target=self._run, name="milepost-writer", daemon=True)
        self._thread.start()

    def put(self, commit: Commit) -> None:
        """Queues a commit."""
        self._queue.put(commit)

    def close(self) -> None:
        """Writes what is queued, then ends the thread and closes the connection."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

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
            group = [commit for commit in waiting if commit is not None]
            if group:
                self._deliver(self._commit(group))

    def _commit(self, group: Sequence[Commit]) -> Sequence[Outcome]:
        if self._failed is not None:
            return [Outcome(commit, self._failed) for commit in group]
        try:
            self._connection.execute(statements.BEGIN)
            outcomes = [Outcome(commit, self._write(commit)) for commit in group]
            self._connection.execute(statements.COMMIT)
        except (sqlite3.Error, ArithmeticError, TypeError, ValueError) as error:
            failure = self._failure(error)
            _log.exception("commit failed", fatal=self._failed is not None)
            return [Outcome(commit, failure) for commit in group]
        if self._position:
            self._written(self._position)
        return outcomes

    def _write(self, commit: Commit) -> Conflict | None:
        chunk = commit.chunk
        if commit.submission is not None:
            row = self._insert(commit)
        else:
            row = self._connection.execute(
                statements.UPDATE_JOB,
                (
                    commit.state,
                    chunk.last,
                    commit.report_sequence,
                    commit.time,
                    commit.job,
                    commit.job_id,
                    chunk.first - 1,
                ),
            ).fetchone()
        if row is None:
            return Conflict(commit.job_id)
        if chunk.frames:
            cursor = self._connection.execute(statements.INSERT_CHUNK, (row[0], *chunk))
            self._position = cursor.lastrowid or self._position
        return None

    def _insert(self, commit: Commit) -> tuple[int] | None:
        assert commit.submission is not None
        submitted = commit.submission.job_submitted
        job = submitted.job
        row: tuple[int] | None = self._connection.execute(
            statements.INSERT_JOB,
            {
                "job_id": commit.job_id,
                "owner": job.owner,
                "kind": job.kind,
                "parent_job_id": job.parent_job_id,
                "request_id": submitted.request_id,
                "state": commit.state,
                "last": commit.chunk.last,
                "report_sequence": commit.report_sequence,
                "time": commit.time,
                "job": commit.job,
            },
        ).fetchone()
        if row is not None:
            if job.HasField("input"):
                self._connection.execute(statements.INSERT_INPUT, (row[0], job.input.SerializeToString()))
            self._connection.executemany(
                statements.INSERT_LABEL, [(name, value, row[0]) for name, value in job.labels.items()]
            )
        return row

    def _failure(self, error: Exception) -> StoreFull | StoreFailed:
        """Nothing of the group is kept. A full disk may have room again; after any other error nothing is sure.

        (After a failed fsync the next commit can succeed although data is gone: see https://wiki.postgresql.org/wiki/Fsync_Errors.)
        """
        full = isinstance(error, sqlite3.Error) and error.sqlite_errorcode == sqlite3.SQLITE_FULL
        try:
            if self._connection.in_transaction:
                self._connection.execute(statements.ROLLBACK)
        except sqlite3.Error:
            full = False
        if full:
            return StoreFull(str(error))
        self._failed = StoreFailed(str(error))
        return self._failed
