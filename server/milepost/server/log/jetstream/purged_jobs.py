"""Jobs whose beginning was purged from the stream before this node had read it.

A later TRIM or DELETE message has what the node needs to complete such a job. Until then the job is *pending*: its row
has no state, only the counts of its children, and the projection stores its later commits. No node serves while a job
of its projection is pending.
"""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from milepost.contract.job_states import FINAL
from milepost.server.log.event_log import FRACTION_SCALE, DropNotice
from milepost.server.log.jetstream.records import Kind, Part, Record, Remains
from milepost.server.log.log_errors import Conflict, StoreFailed
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.drop_summary import record_dropped
from milepost.server.log.sqlite.pruning import Thin
from milepost.server.log.sqlite.transaction import Transaction
from milepost.server.messages.payloads import payloads_of
from milepost.server.messages.timestamps import instant
from milepost.v1 import Events, Job, JobSubmitted

PENDING: Final = "SELECT count(*) FROM jobs WHERE state = 0"

_ROW: Final = "SELECT job_key, state, last_sequence, job FROM jobs WHERE job_id = ?"
_IS_KNOWN: Final = """
    SELECT EXISTS (SELECT 1 FROM jobs WHERE job_id = :job_id) OR EXISTS (SELECT 1 FROM subjects WHERE job_id = :job_id)
"""
_INSERT: Final = """
    INSERT INTO jobs
        (job_key, job_id, owner, kind, parent_job_id, request_id, state, last_sequence, report_sequence, time, job)
    VALUES (?, ?, '', '', '', '', 0, ?, 0, 0, x'')
"""
_DELETE_CONTENT: Final = (
    "DELETE FROM log WHERE job_key = ?",
    "DELETE FROM inputs WHERE job_key = ?",
    "DELETE FROM labels WHERE job_key = ?",
)
_MAKE_PENDING: Final = """
    UPDATE jobs SET job_key = ?, state = 0, last_sequence = ?, request_id = '', end_time = NULL, job = x'',
        share_generation = 0, run_position = NULL
    WHERE job_id = ?
"""
_THINNED: Final = "SELECT thinned_sequence FROM jobs WHERE job_id = ?"
_SET_LAST: Final = "UPDATE jobs SET last_sequence = ? WHERE job_id = ?"
_INSERT_WHOLE: Final = """
    UPDATE jobs SET job_key = ?, owner = ?, kind = ?, parent_job_id = ?, request_id = ?, state = ?, first_sequence = ?,
        thinned_sequence = 0, last_sequence = ?, report_sequence = ?, time = ?, end_time = ?, job = ?,
        share_generation = ?
    WHERE job_id = ?
"""
_JOB_OF_REQUEST: Final = "SELECT job_key FROM jobs WHERE owner = ? AND request_id = ? AND request_id <> ''"


class TooFarBehind(StoreFailed):
    """A serving node lacks messages that were purged meanwhile; after a restart it catches up before it serves."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"This node was cut off from NATS for so long that it missed purged messages of job {job_id!r}. "
            "Restart it: it catches up before it serves."
        )


class _PendingRow(NamedTuple):
    key: int
    state: int
    last: int
    job: bytes


class PurgedJobs:
    """Completes jobs whose beginning was purged, while they are allowed: not while the node serves."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._allowed = True

    def allow(self, allowed: bool) -> None:
        """Set whether jobs may be pending."""
        self._allowed = allowed

    def is_whole(self, record: Record, job_id: str) -> bool:
        """Whether the projection has the whole job that a TRIM or DELETE is about."""
        assert record.remains is not None
        row = self._row(job_id)
        last = JobSubmitted.FromString(record.remains.submitted).job.last_sequence
        return row is not None and bool(row.state) and (row.key, row.last) == (record.key, last)

    def store_commit(self, job_id: str, key: int, position: int, part: Part) -> None:
        """Store a commit of a job that is pending, or becomes so."""
        self._require_allowed(job_id)
        chunk = part.chunk
        row = self._row(job_id)
        if row is None or row.state or row.key != key:
            self._make_pending(job_id, key, chunk.first - 1, row)
        elif row.last != chunk.first - 1 and row.last:
            raise Conflict(job_id)
        self._connection.execute(_SET_LAST, (chunk.last, job_id))
        if chunk.frames:
            self._connection.execute(
                statements.INSERT_CHUNK,
                (
                    position,
                    key,
                    chunk.first,
                    chunk.last,
                    part.state_before,
                    part.state,
                    payloads_of(Events.FromString(chunk.frames).events),
                    chunk.frames,
                    None,  # the message that completes the job has its run
                ),
            )

    def expect_parent(self, job_id: str, position: int) -> None:
        """Create a row for the child counts of a parent that may come later."""
        (known,) = self._connection.execute(_IS_KNOWN, {"job_id": job_id}).fetchone()
        if not known and self._allowed:
            self._connection.execute(_INSERT, (-position, job_id, 0))

    def trim(self, transaction: Transaction, job_id: str, record: Record) -> DropNotice:
        """Apply a TRIM to a whole job."""
        remains = record.remains
        assert remains is not None
        self._connection.execute(statements.TRIM, (record.key, remains.first_sequence))
        self._connection.execute(statements.SET_FIRST, (remains.first_sequence, record.key))
        self._thin_if_missed(transaction, job_id, remains)
        return _record(transaction, record)

    def delete(self, transaction: Transaction, record: Record) -> DropNotice:
        """Apply a DELETE to a whole job."""
        for statement in statements.DELETE_JOB:
            self._connection.execute(statement, (record.key,))
        return _record(transaction, record)

    def complete(self, transaction: Transaction, job_id: str, record: Record) -> DropNotice:
        """Complete a pending job from a TRIM, or delete it by a DELETE."""
        self._require_allowed(job_id)
        remains = record.remains
        assert remains is not None
        submitted = JobSubmitted.FromString(remains.submitted)
        job = submitted.job
        row = self._row(job_id)
        if row is None or row.state or row.key != record.key:
            self._make_pending(job_id, record.key, 0, row)
        if record.kind is Kind.TRIM:
            self._insert_job(record, submitted)
            self._thin_if_missed(transaction, job_id, remains)
            done, ended = round(job.fraction * FRACTION_SCALE), job.state in FINAL
        else:
            for statement in statements.DELETE_JOB:
                self._connection.execute(statement, (record.key,))
            done, ended = FRACTION_SCALE, True
        if job.parent_job_id:
            self.expect_parent(job.parent_job_id, transaction.position + 1)
            self._count(job.parent_job_id, 1, ended=ended, done=done)
        return _record(transaction, record)

    def _thin_if_missed(self, transaction: Transaction, job_id: str, remains: Remains) -> None:
        """Thin a job whose THIN message was purged."""
        (thinned,) = self._connection.execute(_THINNED, (job_id,)).fetchone()
        if thinned < remains.thinned:
            Thin(job_id).write(transaction)

    def _insert_job(self, record: Record, submitted: JobSubmitted) -> None:
        job, remains = submitted.job, record.remains
        assert remains is not None
        connection = self._connection
        for (other,) in connection.execute(_JOB_OF_REQUEST, (job.owner, submitted.request_id)).fetchall():
            # Only a deleted job can still have this request id here; this job's submission was accepted.
            for statement in statements.DELETE_JOB:
                connection.execute(statement, (other,))
        if job.HasField("input"):
            connection.execute(statements.INSERT_INPUT, (record.key, job.input.SerializeToString()))
            job.ClearField("input")
        connection.executemany(
            statements.INSERT_LABEL, [(name, value, record.key) for name, value in job.labels.items()]
        )
        connection.execute(statements.TRIM, (record.key, remains.first_sequence))
        connection.execute(
            _INSERT_WHOLE,
            (
                record.key,
                job.owner,
                job.kind,
                job.parent_job_id,
                submitted.request_id,
                job.state,
                remains.first_sequence,
                job.last_sequence,
                remains.report_sequence,
                remains.time,
                instant(job.end_time) if job.HasField("end_time") else None,
                job.SerializeToString(),
                remains.share_generation,
                job.job_id,
            ),
        )

    def _make_pending(self, job_id: str, key: int, last: int, row: _PendingRow | None) -> None:
        if row is None:
            self._connection.execute(_INSERT, (key, job_id, last))
            return
        if row.state:
            job = Job.FromString(row.job)
            if job.parent_job_id:  # counted again when the job is whole again
                ended = job.state in FINAL
                done = FRACTION_SCALE if ended else round(job.fraction * FRACTION_SCALE)
                self._count(job.parent_job_id, -1, ended=ended, done=-done)
            for statement in _DELETE_CONTENT:
                self._connection.execute(statement, (row.key,))
        self._connection.execute(_MAKE_PENDING, (key, last, job_id))

    def _count(self, parent_job_id: str, count: int, *, ended: bool, done: int) -> None:
        self._connection.execute(statements.COUNT_CHILD, (count, count if ended else 0, done, parent_job_id))

    def _row(self, job_id: str) -> _PendingRow | None:
        row = self._connection.execute(_ROW, (job_id,)).fetchone()
        return None if row is None else _PendingRow(*row)

    def _require_allowed(self, job_id: str) -> None:
        if not self._allowed:
            raise TooFarBehind(job_id)


def _record(transaction: Transaction, message: Record) -> DropNotice:
    """Record the drop as the message has it, so that all nodes record the same."""
    remains = message.remains
    assert remains is not None
    job = JobSubmitted.FromString(remains.submitted).job
    return record_dropped(transaction, message.key, job, remains.first_sequence, remains.drops)
