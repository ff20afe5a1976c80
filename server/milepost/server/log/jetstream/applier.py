"""Applying a message of the stream to the projection: deterministic, so that every node gets the same result.

A commit is accepted if it continues its job's log, and a submission if neither its job id nor its request id exists;
any other is ignored. So the order of the stream decides between competing messages, alike on every node.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from milepost.server.log.event_log import Commit, DurableCommit, Entry
from milepost.server.log.jetstream.fold_cache import FoldCache
from milepost.server.log.jetstream.purged_jobs import PurgedJobs
from milepost.server.log.jetstream.records import STRIDE, Kind, Part, Record
from milepost.server.log.log_errors import Conflict
from milepost.server.log.sqlite.append import Append
from milepost.server.log.sqlite.pruning import RevokeShares, Thin
from milepost.server.log.sqlite.run_rows import link_run, record_runs
from milepost.server.log.sqlite.transaction import Transaction
from milepost.v1 import JobSubmitted

SCHEMA: Final = (
    """
    CREATE TABLE IF NOT EXISTS subjects (
        job_id TEXT PRIMARY KEY,
        sequence INTEGER NOT NULL,
        -- Whether the stream still has the end of an earlier job with this id.
        reused INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID
    """,
    # Jobs that this node has deleted, whose messages before that one it has yet to purge.
    "CREATE TABLE IF NOT EXISTS unpurged (job_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID",
)
_SET_SUBJECT: Final = """
    INSERT INTO subjects (job_id, sequence) VALUES (?, ?)
    ON CONFLICT (job_id) DO UPDATE SET sequence = excluded.sequence, reused = reused OR ?
"""
_SET_UNPURGED: Final = """
    INSERT OR REPLACE INTO unpurged (job_id, sequence)
    SELECT job_id, sequence FROM subjects WHERE job_id = ? AND NOT reused
"""
_HEAD: Final = """
    SELECT coalesce(sequence, 0), coalesce(last_sequence, 0), coalesce(job_key, 0)
    FROM (SELECT ? AS job_id) LEFT JOIN subjects USING (job_id) LEFT JOIN jobs USING (job_id)
"""
_SELECT_HEAD: Final = "SELECT last_sequence, job_key FROM jobs WHERE job_id = ?"
_JOB: Final = "SELECT job FROM jobs WHERE job_id = ?"


class JobHead(NamedTuple):
    """The end of a job's log: the last message of its subject, its last event, and its key; all 0 for a new job."""

    sequence: int
    last: int
    key: int


class DeliveredMessage(NamedTuple):
    """A message read from the stream.

    ``size`` are its bytes. ``record`` is None if it is not about a job. ``is_own`` says that this node published it;
    ``commits`` are those of such a message, if it has any.
    """

    sequence: int
    name: bytes
    size: int
    job_id: str = ""
    record: Record | None = None
    commits: Sequence[Commit] | None = None
    is_own: bool = False


class AppliedMessage(NamedTuple):
    """The result of a message: entries for listeners, the number of its accepted parts, and the job's new head.

    ``is_unpurged`` says that it is a deletion after which this node purges the job's earlier messages.
    """

    delivered: DeliveredMessage
    entries: Sequence[Entry]
    accepted: int
    head: JobHead
    is_unpurged: bool = False


def head_of(connection: sqlite3.Connection, job_id: str) -> JobHead:
    """Read the end of the job's log from the projection."""
    return JobHead(*connection.execute(_HEAD, (job_id,)).fetchone())


class Applier:
    """Applies messages to the projection, within transactions of the caller."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._folds = FoldCache(self._load)
        self._purged = PurgedJobs(connection)

    def allow_pending(self, allowed: bool) -> None:
        """Set whether jobs may be pending; see ``PurgedJobs``."""
        self._purged.allow(allowed)

    def evict_idle(self) -> None:
        """Drop what is kept in memory of jobs that no message came of since the call before."""
        self._folds.evict_idle()

    def apply(self, transaction: Transaction, delivered: DeliveredMessage) -> AppliedMessage:
        """Apply a message."""
        entries: list[Entry] = []
        accepted = 0
        record = delivered.record
        if record is None:
            return AppliedMessage(delivered, entries, accepted, JobHead(0, 0, 0))
        try:
            if record.kind is Kind.COMMITS:
                for accepted, part in enumerate(record.parts):
                    entry = self._commit(transaction, delivered, record, accepted, part)
                    if entry is not None:
                        entries.append(entry)
            else:
                transaction.position = delivered.sequence * STRIDE - 1
                entry = self._drop(transaction, delivered.job_id, record)
                if entry is not None:
                    entries.append(entry)
            accepted += 1
        except Conflict:
            self._folds.forget(delivered.job_id)
        begins = record.kind is Kind.COMMITS and not record.key
        self._connection.execute(_SET_SUBJECT, (delivered.job_id, delivered.sequence, begins))
        is_unpurged = False
        if record.kind is Kind.DELETE and accepted and delivered.is_own:
            is_unpurged = self._connection.execute(_SET_UNPURGED, (delivered.job_id,)).rowcount > 0
        last, key = self._connection.execute(_SELECT_HEAD, (delivered.job_id,)).fetchone() or (0, 0)
        return AppliedMessage(
            delivered, entries, accepted, JobHead(delivered.sequence, last, key), is_unpurged
        )

    def _commit(
        self, transaction: Transaction, delivered: DeliveredMessage, record: Record, index: int, part: Part
    ) -> Entry | None:
        job_id = delivered.job_id
        if delivered.commits is not None:
            self._folds.forget(job_id)
            commit: Commit | None = delivered.commits[index]
        else:
            commit = self._folds.commit(job_id, part)
        position = delivered.sequence * STRIDE + index
        if commit is None:
            self._folds.forget(job_id)
            self._purged.store_commit(job_id, record.key, position, part)
            return None
        if commit.submission is not None and commit.attributes.parent_job_id:
            self._purged.expect_parent(commit.attributes.parent_job_id, position)
        transaction.position = position - 1
        entry = Append(commit, position).write(transaction)
        if entry is None or commit.is_transition or delivered.commits is not None:
            return entry
        # Followers read the job of a transition only, and a thousand commits of progress would each have all of it.
        return DurableCommit(commit._replace(job=b""), position)

    def _drop(self, transaction: Transaction, job_id: str, record: Record) -> Entry | None:
        for owner, kind, stored in record.runs:
            record_runs(self._connection, owner, kind, [stored])
        if record.kind is Kind.RUNS:
            return None
        self._folds.forget(job_id)
        if record.remains is not None and record.remains.run is not None:
            job = JobSubmitted.FromString(record.remains.submitted).job
            record_runs(self._connection, job.owner, job.kind, [record.remains.run])
        if record.kind is Kind.THIN:
            Thin(job_id).write(transaction)
            return None
        if record.kind is Kind.SHARES:
            RevokeShares(job_id).write(transaction)
            return None
        whole = self._purged.is_whole(record, job_id)
        if whole and record.kind is Kind.DELETE:
            return self._purged.delete(transaction, record)
        drop = self._purged.trim if whole else self._purged.complete
        notice = drop(transaction, job_id, record)
        if record.remains is not None and record.remains.run is not None:
            link_run(self._connection, record.key, record.remains.run.position)
        return notice

    def _load(self, job_id: str) -> bytes | None:
        row = self._connection.execute(_JOB, (job_id,)).fetchone()
        return None if row is None else bytes(row[0])
