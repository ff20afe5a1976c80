"""Planning of drops, from the projection, before their records go into the stream.

A drop is guarded like an append, so nothing else happens to the job in between, and its record holds for every node. It
carries the remains of the job, for nodes that come after the beginning of its subject was purged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from milepost.contract.job_states import FINAL
from milepost.server.log.event_log import Drop
from milepost.server.log.jetstream.records import Kind, Record, Remains
from milepost.server.log.log_errors import Conflict
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.drop_summary import drops_before
from milepost.server.log.sqlite.run_rows import run_of_job
from milepost.server.messages.timestamps import instant
from milepost.v1 import Job, JobSubmitted

_JOB: Final = """
    SELECT job_key, state, last_sequence, thinned_sequence, report_sequence, time, request_id, job, input, reused,
        share_generation
    FROM jobs LEFT JOIN inputs USING (job_key) LEFT JOIN subjects USING (job_id) WHERE job_id = ?
"""

_OLDEST_NEEDED: Final = "SELECT min(position) FROM log WHERE job_key = ? AND last_sequence >= ?"


class DropPlan(NamedTuple):
    """The record of a drop, without its name and key.

    ``oldest_needed`` is the position of the oldest commit that must stay, 0 for none. It is None if nothing may be
    purged, since the purge would also remove the record that an earlier job of the same id is gone.
    """

    record: Record
    oldest_needed: int | None


class JobRows:
    """The rows of one job. Raises Conflict if there is no such job."""

    def __init__(self, connection: sqlite3.Connection, job_id: str) -> None:
        row = connection.execute(_JOB, (job_id,)).fetchone()
        if row is None:
            raise Conflict(job_id)
        self._connection = connection
        self._job_id = job_id
        self._key: int = row[0]
        self.state, self.last, self._thinned, self._report_sequence, self._time = row[1:6]
        request_id, job, job_input, self._reused, self._share_generation = row[6:]
        self._submitted = JobSubmitted(request_id=request_id, job=Job.FromString(job))
        if job_input is not None:
            self._submitted.job.input.ParseFromString(job_input)

    def require_submitted(self, submitted: int | None) -> None:
        """Raise Conflict for a job that was not submitted at this time, in nanoseconds since 1970."""
        if submitted not in (None, instant(self._submitted.job.submit_time)):
            raise Conflict(self._job_id)

    def require_ended(self) -> None:
        """Raise Conflict if the job has not ended."""
        if self.state not in FINAL:
            raise Conflict(self._job_id)

    def last_before(self, first_sequence: int) -> int | None:
        """Return the newest event of the commits that end before this event; None for none."""
        row = self._connection.execute(statements.LAST_BEFORE, (self._key, first_sequence)).fetchone()
        last: int | None = row[0]
        return last

    def oldest_needed(self, first_sequence: int) -> int | None:
        """See ``DropPlan``."""
        if self._reused:
            return None
        row = self._connection.execute(_OLDEST_NEEDED, (self._key, first_sequence)).fetchone()
        return int(row[0] or 0)

    def drops(self, first_sequence: int) -> list[Drop]:
        """Return all drops of the job, including those of the commits that end before this event.

        Earlier drops are included since the purge may remove their messages.
        """
        return drops_before(self._connection, self._key, first_sequence)

    def remains(self, first_sequence: int, drops: Sequence[Drop]) -> Remains:
        """Return what other nodes need of the job after the drop."""
        return Remains(
            first_sequence=first_sequence,
            thinned=self._thinned,
            report_sequence=self._report_sequence,
            time=self._time,
            drops=drops,
            submitted=self._submitted.SerializeToString(),
            share_generation=self._share_generation,
            run=run_of_job(self._connection, self._key),
        )


Planner: TypeAlias = Callable[[JobRows], DropPlan | None]
"""Plans a drop of a job; None if there is nothing to drop."""


def only_of(submitted: int | None, plan: Planner) -> Planner:
    """Plan for the job that was submitted then, and not for a later one with its id; None for whichever has the id."""

    def of_job(rows: JobRows) -> DropPlan | None:
        rows.require_submitted(submitted)
        return plan(rows)

    return of_job


def thin(rows: JobRows) -> DropPlan:
    """See ``EventLog.thin``. The stream keeps the events, since its messages cannot change."""
    rows.require_ended()
    return DropPlan(Record(Kind.THIN, b"", 0), None)


def revoke_shares(rows: JobRows) -> DropPlan:
    """See ``EventLog.revoke_shares``. It drops nothing; a later drop carries the generation along."""
    return DropPlan(Record(Kind.SHARES, b"", 0), None)


def trim(rows: JobRows, first_sequence: int) -> DropPlan | None:
    """See ``EventLog.trim``."""
    last = rows.last_before(first_sequence)
    if last is None:
        return None
    record = Record(Kind.TRIM, b"", 0, remains=rows.remains(last + 1, rows.drops(last + 1)))
    return DropPlan(record, rows.oldest_needed(last + 1))


def delete(rows: JobRows) -> DropPlan:
    """See ``EventLog.delete``."""
    rows.require_ended()
    remains = rows.remains(0, rows.drops(rows.last + 1))
    return DropPlan(Record(Kind.DELETE, b"", 0, remains=remains), rows.oldest_needed(rows.last + 1))
