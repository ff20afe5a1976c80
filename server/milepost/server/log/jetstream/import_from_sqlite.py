"""Import of a SQLite log, or of a projection, into an empty stream."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import sqlite3
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from milepost.server.log.frames import Chunk
from milepost.server.log.jetstream.drop_plans import JobRows
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.purged_jobs import PENDING
from milepost.server.log.jetstream.records import (
    COMMITS_LIMIT,
    MESSAGE_BYTES_LIMIT,
    STRIDE,
    Kind,
    KindRun,
    Part,
    Record,
    encode,
)
from milepost.server.log.jetstream.stream import NO_JOB, StreamNames, begin_import
from milepost.server.log.log_errors import StoreFailed
from milepost.server.log.sqlite.schema import migrate
from milepost.server.log.stored_runs import StoredRun

_CHUNKS: Final = """
    SELECT log.position, job_key, job_id, log.first_sequence, log.last_sequence, frames, state_before, state_after,
        report_sequence, time, coalesce(log.run, runs.run, x'')
    FROM log JOIN jobs USING (job_key) LEFT JOIN histories USING (owner, kind)
        LEFT JOIN runs ON runs.history_key = histories.history_key AND runs.position = log.position
    ORDER BY log.position
"""
# Those of commits that are no longer in the log.
_OTHER_RUNS: Final = """
    SELECT position, owner, kind, run FROM histories JOIN runs USING (history_key)
    WHERE position NOT IN (SELECT position FROM log) ORDER BY position
"""
_PRUNED_JOBS: Final = """
    SELECT job_key, job_id, first_sequence, thinned_sequence FROM jobs
    WHERE first_sequence > 1 OR thinned_sequence > 0 ORDER BY job_key
"""
# A table that ``drop_plans`` reads. It has nothing of the new stream yet, and hides that of a projection.
_SUBJECTS: Final = "CREATE TEMP TABLE subjects (job_id TEXT PRIMARY KEY, reused INTEGER)"

_NO_KEY: Final = 0

# Maximum number of messages in flight.
_IN_FLIGHT_LIMIT: Final = 200

# Timeout of one message in seconds.
_PUBLISH_TIMEOUT: Final = 30.0


@dataclass
class ImportCounts:
    """Numbers of imported jobs, events and messages."""

    jobs: int = 0
    events: int = 0
    messages: int = 0


class _Row(NamedTuple):
    """A commit of a job, or a run whose commit is gone, which belongs to no job."""

    position: int
    key: int
    job_id: str
    content: Part | KindRun


class SqliteImport:
    """Copies the database at ``path``, which nobody may write to meanwhile, into the stream.

    Events keep their sequences, but not their positions. So the stream has a new epoch, by which subscribers notice,
    and which ends all leases.
    """

    def __init__(self, path: Path, connection: NatsConnection, names: StreamNames) -> None:
        self._path = path
        self._connection = connection
        self._names = names
        self._keys: dict[int, int] = {}
        self._last: dict[str, int] = {}
        self._sequence = 1
        self._in_flight: deque[asyncio.Task[None]] = deque()
        self._last_of_job: dict[str, asyncio.Task[None]] = {}
        self.copied = ImportCounts()

    async def run(self) -> ImportCounts:
        """Import everything. Raises StreamRefused, ConnectionLost, StoreFailed, SchemaTooNew, sqlite3.Error."""
        # Reads on the event loop's thread, since nothing else runs meanwhile.
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            migrate(connection)
            connection.execute(_SUBJECTS)
            _require_whole(connection)
            end = await begin_import(self._connection, self._names)
            for group in _messages(connection):
                await self._publish(group[0].job_id, self._record(group))
            for key, job_id, first, thinned in connection.execute(_PRUNED_JOBS).fetchall():
                if first > 1:
                    # No cursor of the new epoch can miss an earlier drop. Its run has another position now.
                    remains = JobRows(connection, job_id).remains(first, ())._replace(run=None)
                    await self._publish(job_id, Record(Kind.TRIM, b"", self._key(key), remains=remains))
                if thinned:
                    await self._publish(job_id, Record(Kind.THIN, b"", self._key(key)))
            (self.copied.jobs,) = connection.execute("SELECT count(*) FROM jobs").fetchone()
            while self._in_flight:
                await self._in_flight.popleft()
        finally:
            connection.close()
            # After a failure the others fail for the same reason; the first error is enough.
            await asyncio.gather(*self._in_flight, return_exceptions=True)
        reply = await self._connection.publish(self._names.meta, end, 1, _PUBLISH_TIMEOUT)
        if reply.error:
            raise StoreFailed(f"The stream refused the last message: {reply.text}.")
        return self.copied

    def _key(self, key: int) -> int:
        """Return the job's key in the stream: the position of its first message."""
        return self._keys.setdefault(key, (self._sequence + 1) * STRIDE)

    def _record(self, group: list[_Row]) -> Record:
        parts = [row.content for row in group if isinstance(row.content, Part)]
        if not parts:
            position = (self._sequence + 1) * STRIDE
            runs = [
                run._replace(stored=StoredRun(position + index, run.stored.run))
                for index, row in enumerate(group)
                if isinstance(run := row.content, KindRun)
            ]
            return Record(Kind.RUNS, b"", 0, runs=runs)
        creates_job = parts[0].chunk.first == 1 and group[0].key not in self._keys
        key = self._key(group[0].key)
        return Record(Kind.COMMITS, b"", 0 if creates_job else key, parts)

    async def _publish(self, job_id: str, record: Record) -> None:
        """Publish a message; its sequence is known beforehand, since nobody else writes."""
        before = self._last_of_job.get(job_id)
        # One message of a subject in flight at a time, so that none overtakes another.
        if before is not None:
            await asyncio.wait([before])
        self._sequence += 1
        sequence, expected = self._sequence, self._last.get(job_id, 0)
        self._last[job_id] = sequence
        message = encode(record._replace(name=uuid.uuid4().bytes))

        async def publish() -> None:
            reply = await self._connection.publish(
                self._names.job(job_id), message, expected, _PUBLISH_TIMEOUT
            )
            if reply.error:
                raise StoreFailed(f"The stream refused a message of job {job_id!r}: {reply.text}.")
            if reply.sequence != sequence:
                raise StoreFailed("Another client writes to the stream. Delete the stream and start again.")

        publishing = self._last_of_job[job_id] = asyncio.create_task(publish())
        publishing.add_done_callback(lambda _: self._forget(job_id, publishing))
        self._in_flight.append(publishing)
        await asyncio.sleep(0)  # lets the tasks publish in order
        self.copied.messages += 1
        self.copied.events += sum(part.chunk.last - part.chunk.first + 1 for part in record.parts)
        while len(self._in_flight) > _IN_FLIGHT_LIMIT:
            await self._in_flight.popleft()

    def _forget(self, job_id: str, publishing: asyncio.Task[None]) -> None:
        if self._last_of_job.get(job_id) is publishing:
            del self._last_of_job[job_id]


def _require_whole(connection: sqlite3.Connection) -> None:
    """Raise StoreFailed if a projection lacks the beginnings of jobs; see ``purged_jobs``."""
    (pending,) = connection.execute(PENDING).fetchone()
    if pending:
        raise StoreFailed(f"This copy lacks the beginning of {pending} jobs. Take the copy of another node.")


def _messages(connection: sqlite3.Connection) -> Iterator[list[_Row]]:
    """Yield the rows of each message, by position: consecutive commits of one job share a message.

    Runs whose commits are gone stay between the others, since what is learned from runs depends on their order.
    """
    rows = heapq.merge(_commits(connection), _other_runs(connection), key=lambda row: row.position)
    for _, of_job in itertools.groupby(rows, key=lambda row: row.key):
        group: list[_Row] = []
        size = 0
        for row in of_job:
            size += _size(row.content)
            if group and (len(group) == COMMITS_LIMIT or size > MESSAGE_BYTES_LIMIT):
                yield group
                group, size = [], _size(row.content)
            group.append(row)
        if group:
            yield group


def _size(content: Part | KindRun) -> int:
    return len(content.chunk.frames) if isinstance(content, Part) else len(content.stored.run)


def _commits(connection: sqlite3.Connection) -> Iterator[_Row]:
    for position, key, job_id, *commit in connection.execute(_CHUNKS):
        yield _Row(position, key, job_id, Part(Chunk(*commit[:3]), *commit[3:]))


def _other_runs(connection: sqlite3.Connection) -> Iterator[_Row]:
    for position, owner, kind, run in connection.execute(_OTHER_RUNS):
        yield _Row(position, _NO_KEY, NO_JOB, KindRun(owner, kind, StoredRun(position, run)))
