"""Queries of the log over one connection, each on a consistent snapshot of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from google.protobuf.message import DecodeError

from milepost.server.log.event_log import (
    FRACTION_SCALE,
    ChildrenSummary,
    CommitRow,
    DropNotice,
    EndedJob,
    EventPage,
    FeedPage,
    JobAttributes,
    JobIdentity,
    JobPage,
    Query,
    StoredJob,
)
from milepost.server.log.frames import Chunk, joined_chunks
from milepost.server.log.sqlite import idle_connection, run_rows, statements
from milepost.server.log.stored_runs import StoredRun
from milepost.server.messages.job_epoch import job_epoch
from milepost.server.messages.payloads import ANY_PAYLOAD
from milepost.server.messages.timestamps import instant
from milepost.server.scheduling.sliced_decoding import merge_stored
from milepost.v1 import Job

# Positions that one read of many jobs scans at most, so that a selective filter does not occupy a reader for long.
_SCAN_LIMIT = 20_000

# Number of jobs with a label above which a list checks it job by job instead of collecting its jobs.
_COMMON_LABEL_JOBS = 2000


class Reader:
    """The queries of a store with this epoch. ``stride`` is the approximate distance between consecutive positions."""

    def __init__(self, connection: sqlite3.Connection, epoch: str, *, stride: int = 1) -> None:
        for pragma in statements.READ_ONLY:
            connection.execute(pragma)
        self._connection = connection
        self._epoch = epoch
        self._scan_limit = _SCAN_LIMIT * stride
        # Of the job that was identified last.
        self._some_key = 0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def free_cache(self) -> None:
        """Free what the connection keeps from its reads, as far as SQLite can at the moment."""
        idle_connection.free_memory(self._connection)

    def page(self, job_id: str, cursor: int, max_bytes: int) -> EventPage | None:
        """See ``EventLog.read``."""
        with self._snapshot():
            row = self._connection.execute(statements.JOB_ROW, (job_id,)).fetchone()
            if row is None:
                return None
            key, first, thinned, last, job = row
            chunks = []
            if cursor < last:
                with closing(self._connection.execute(statements.CHUNKS, (key, cursor))) as rows:
                    chunks = joined_chunks(rows, max_bytes)
                    chunks[:1] = [chunk.after(cursor) for chunk in chunks[:1]]
            return EventPage(chunks, first, thinned, last, Job.FromString(job))

    def read_feed(self, query: Query, after: int, max_bytes: int, known: int) -> FeedPage:
        """See ``EventLog.read_feed``."""
        with self._snapshot():
            (head,) = self._connection.execute(statements.LAST_POSITION).fetchone()
            last = min(head, after + self._scan_limit)
            if last <= after:
                return FeedPage([], after, self.dropped(query, known))
            entries: list[CommitRow | DropNotice] = []
            size = 0
            with closing(self._connection.execute(*statements.feed(query, after, last))) as rows:
                for position, job_id, first, sequence, frames, before, state in rows:
                    entries.append(CommitRow(position, job_id, Chunk(first, sequence, frames), before, state))
                    size += len(frames)
                    if size >= max_bytes:
                        last = position
                        break
            entries += self._notices(query, after, last)
            entries.sort(key=lambda entry: entry.position)
            return FeedPage(entries, last, self.dropped(query, known))

    def dropped(self, query: Query, known: int = 0) -> dict[int, int]:
        """See ``EventLog.dropped``."""
        found = dict(self._connection.execute(*statements.dropped(query, known)).fetchall())
        (forgotten,) = self._connection.execute(*statements.forgotten(query)).fetchone()
        if forgotten:
            found[ANY_PAYLOAD] = max(forgotten, found.get(ANY_PAYLOAD, 0))
        return found

    def load(self, job_id: str) -> StoredJob | None:
        """See ``EventLog.load``."""
        row = self._connection.execute(statements.LOAD, (job_id,)).fetchone()
        return None if row is None else StoredJob(self._job(row[0], None, row[1], row[2]), row[3], row[4])

    def find(self, job_id: str) -> Job | None:
        """See ``EventLog.find``."""
        row = self._connection.execute(statements.FIND, (job_id,)).fetchone()
        return None if row is None else self._job(*row)

    def identify(self, job_id: str) -> JobIdentity | None:
        """See ``EventLog.identify``."""
        row = self._connection.execute(statements.IDENTIFY, (job_id, self._some_key)).fetchone()
        if row is None:
            return None
        identity = JobIdentity(*row[:-1])
        self._some_key = identity.key
        return identity if row[-1] == job_id else None

    def find_request(self, owner: str, request_id: str) -> str | None:
        """See ``EventLog.find_request``."""
        row = self._connection.execute(statements.FIND_REQUEST, (owner, request_id)).fetchone()
        return None if row is None else str(row[0])

    def has_children_of_others(self, job_id: str, owner: str) -> bool:
        """See ``EventLog.has_children_of_others``."""
        found = self._connection.execute(
            statements.CHILD_OF_OTHERS, (job_id, owner, job_id, owner)
        ).fetchone()
        return found is not None

    def active_children(self, job_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """See ``EventLog.active_children``."""
        rows = self._connection.execute(statements.ACTIVE_CHILDREN, (job_id, after, limit))
        return [(key, child) for key, child in rows]

    def list_jobs(self, query: Query) -> JobPage:
        """See ``EventLog.query``."""
        jobs: list[tuple[int, Job]] = []
        damaged: list[str] = []
        size = 0
        with self._snapshot():
            common = [name for name, value in (query.labels or {}).items() if self._is_common(name, value)]
            while True:
                keys = self._connection.execute(*statements.listing(query, common)).fetchall()
                for (key,) in keys:
                    if len(jobs) == query.limit or size >= query.max_bytes:
                        return JobPage(jobs, more=True, damaged=damaged)
                    job_id, job, given, first, thinned = self._connection.execute(
                        statements.LISTED_JOB, (key,)
                    ).fetchone()
                    try:
                        jobs.append((key, self._job(job, given, first, thinned)))
                    except DecodeError:
                        damaged.append(job_id)
                    else:
                        size += len(job) + len(given or b"")
                if len(keys) <= query.limit:
                    return JobPage(jobs, more=False, damaged=damaged)
                # Some are damaged, so there is room for others: a page needs a job from which the next one starts.
                query = replace(query, after=keys[-1][0])

    def active(self, after: int, max_bytes: int) -> JobPage:
        """See ``EventLog.active``."""
        jobs: list[tuple[int, Job]] = []
        damaged: list[str] = []
        size = 0
        with closing(self._connection.execute(statements.ACTIVE, (after,))) as rows:
            for key, job_id, job, first, thinned in rows:
                if size >= max_bytes:
                    return JobPage(jobs, more=True, damaged=damaged)
                try:
                    jobs.append((key, self._job(job, None, first, thinned)))
                except DecodeError:
                    damaged.append(job_id)
                else:
                    size += len(job)
        return JobPage(jobs, more=False, damaged=damaged)

    def children_summary(self, job_id: str) -> ChildrenSummary:
        """See ``EventLog.children_summary``."""
        row = self._connection.execute(statements.CHILDREN, (job_id,)).fetchone()
        total, ended, done = row or (0, 0, 0)
        return ChildrenSummary(total, ended, done / FRACTION_SCALE / total if total else 0.0)

    def ended(self, after: tuple[int, int], limit: int) -> Sequence[EndedJob]:
        """See ``EventLog.ended``."""
        rows = self._connection.execute(statements.ENDED, (*after, limit)).fetchall()
        return [
            EndedJob(key, end_time, first, thinned, job_id, _job_if_whole(job))
            for key, end_time, first, thinned, job_id, job in rows
        ]

    def runs(self, owner: str, kind: str) -> Sequence[StoredRun]:
        """See ``EventLog.runs``."""
        return run_rows.read_runs(self._connection, owner, kind)

    def recent_kinds(self, limit: int) -> Sequence[tuple[str, str]]:
        """See ``EventLog.recent_kinds``."""
        return run_rows.recent_kinds(self._connection, limit)

    def _is_common(self, name: str, value: str) -> bool:
        row = self._connection.execute(
            statements.LABEL_HAS_MORE_JOBS, (name, value, _COMMON_LABEL_JOBS)
        ).fetchone()
        return row is not None

    def _notices(self, query: Query, after: int, last: int) -> Iterator[DropNotice]:
        rows = self._connection.execute(*statements.notices(query, after, last))
        for position, first, key, job_id, owner, kind, parent in rows:
            labels = dict(self._connection.execute(statements.DROPPED_LABELS, (key,)).fetchall())
            yield DropNotice(JobAttributes(job_id, owner, kind, parent, labels), first, position)

    def _job(self, stored: bytes, given: bytes | None, first: int, thinned: int) -> Job:
        job = Job.FromString(stored)
        if given is not None:
            job.input.SetInParent()  # set also if it has no fields
            merge_stored(job.input, given)
        job.epoch = job_epoch(self._epoch, instant(job.submit_time))
        job.first_sequence = first
        job.thinned_sequence = thinned
        return job

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Read from one consistent snapshot. Raises the error of a read as it is."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            # After some errors, such as that of a disk, SQLite has ended it already.
            if self._connection.in_transaction:
                self._connection.execute(statements.COMMIT)


def _job_if_whole(stored: bytes) -> Job | None:
    """Decode a job; None if its row is damaged."""
    try:
        return Job.FromString(stored)
    except DecodeError:
        return None
