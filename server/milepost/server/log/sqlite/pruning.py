"""Writes that append nothing: drop superseded progress, the beginnings of logs, and whole jobs; revoke shares."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from milepost.contract.job_states import FINAL
from milepost.server.log.event_log import DropNotice
from milepost.server.log.frames import without_superseded
from milepost.server.log.log_errors import Conflict
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.drop_summary import drops_before, record_dropped
from milepost.server.log.sqlite.transaction import Transaction
from milepost.server.messages.timestamps import instant
from milepost.v1 import Job


class Thin(NamedTuple):
    """Drop from the log of an ended job all progress that later progress of the same stage superseded."""

    job_id: str
    submitted: int | None = None

    def write(self, transaction: Transaction) -> None:
        """See ``Write``."""
        connection = transaction.connection
        row = _row(connection, self.job_id, self.submitted)
        if row.state not in FINAL:
            raise Conflict(self.job_id)
        superseded: set[tuple[str, str]] = set()
        # Newest first, since later progress supersedes earlier progress.
        for position, frames in connection.execute(statements.CHUNKS_FROM_END, (row.key,)).fetchall():
            thinned = without_superseded(frames, superseded)
            if len(thinned) < len(frames):
                connection.execute(statements.REPLACE_FRAMES, (thinned, position))
        connection.execute(statements.MARK_THINNED, (row.last, row.key))


class Trim(NamedTuple):
    """Drop the commits that end before ``first_sequence``."""

    job_id: str
    first_sequence: int
    submitted: int | None = None

    def write(self, transaction: Transaction) -> DropNotice | None:
        """See ``Write``."""
        connection = transaction.connection
        row = _row(connection, self.job_id, self.submitted)
        (last,) = connection.execute(statements.LAST_BEFORE, (row.key, self.first_sequence)).fetchone()
        if last is None:
            return None
        transaction.runs.before_drop()
        drops = drops_before(connection, row.key, self.first_sequence)
        connection.execute(statements.TRIM, (row.key, self.first_sequence))
        connection.execute(statements.SET_FIRST, (last + 1, row.key))
        return record_dropped(transaction, row.key, row.job, last + 1, drops)


class Delete(NamedTuple):
    """Delete an ended job with its log."""

    job_id: str
    submitted: int | None = None

    def write(self, transaction: Transaction) -> DropNotice:
        """See ``Write``."""
        connection = transaction.connection
        row = _row(connection, self.job_id, self.submitted)
        if row.state not in FINAL:
            raise Conflict(self.job_id)
        transaction.runs.before_drop()
        drops = drops_before(connection, row.key, row.last + 1)
        for statement in statements.DELETE_JOB:
            connection.execute(statement, (row.key,))
        return record_dropped(transaction, row.key, row.job, 0, drops)


class RevokeShares(NamedTuple):
    """Begin the next generation of a job's shares."""

    job_id: str
    submitted: int | None = None

    def write(self, transaction: Transaction) -> None:
        """See ``Write``."""
        connection = transaction.connection
        row = _row(connection, self.job_id, self.submitted)
        connection.execute(statements.REVOKE_SHARES, (row.key,))


class _JobRow(NamedTuple):
    key: int
    state: int
    last: int
    job: Job


def _row(connection: sqlite3.Connection, job_id: str, submitted: int | None) -> _JobRow:
    """The row of the job that was submitted then, if that is given. Raises Conflict if there is none."""
    found = connection.execute(statements.PRUNING_ROW, (job_id,)).fetchone()
    if found is None:
        raise Conflict(job_id)
    key, state, last, stored = found
    job = Job.FromString(stored)
    if submitted not in (None, instant(job.submit_time)):
        raise Conflict(job_id)
    return _JobRow(key, state, last, job)
