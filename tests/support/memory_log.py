"""An event log in memory, whose commits a test can hold back or make fail. It keeps the contract of ``EventLog``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from milepost.server.decide import ACTIVE, FINAL
from milepost.server.log.event_log import Commit, Conflict, Listed, Page, Query, Stored, StoreFailed
from milepost.server.log.frames import Chunk
from milepost.v1 import Job

__all__ = ["MemoryEventLog"]


@dataclass
class _Kept:
    """A job and its log. ``job`` is as of ``last``, without its input."""

    key: int
    job: Job
    input: Job
    request_id: str
    last: int
    report_sequence: int
    time: int
    chunks: list[Chunk] = field(default_factory=list)


class MemoryEventLog:
    """An ``EventLog``. ``errors`` are what the next commits fail with; None lets one through."""

    def __init__(self) -> None:
        self.epoch = "epoch"
        self.lease_secret = b"secret"
        self.errors: deque[Exception | None] = deque()
        self.loads = 0
        """How often a job was loaded."""
        self._jobs: dict[str, _Kept] = {}
        self._waiting: deque[tuple[Commit, asyncio.Future[None]]] = deque()
        self._listeners: list[Callable[[Sequence[Commit]], None]] = []
        self._held = False
        self._closed = False

    def reopen(self) -> None:
        """As if it were opened again: with what it has, and with nobody who follows."""
        self._closed = False
        self._listeners.clear()

    def hold(self) -> None:
        """From now on nothing becomes durable."""
        self._held = True

    def let_go(self) -> None:
        """What waits becomes durable, and what comes."""
        self._held = False
        self._settle()

    def append(self, commit: Commit) -> asyncio.Future[None]:
        """See ``EventLog``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if self._closed:
            future.set_exception(StoreFailed("closed"))
            return future
        self._waiting.append((commit, future))
        loop.call_soon(self._settle)
        return future

    def follow(self, listener: Callable[[Sequence[Commit]], None]) -> None:
        """See ``EventLog``."""
        self._listeners.append(listener)

    async def read(self, job_id: str, cursor: int, most_bytes: int) -> Page | None:
        """See ``EventLog``."""
        kept = self._jobs.get(job_id)
        if kept is None:
            return None
        chunks: list[Chunk] = []
        size = 0
        for chunk in kept.chunks:
            if chunk.last > cursor:
                chunks.append(chunk.after(cursor))
                size += len(chunks[-1].frames)
                if size >= most_bytes:
                    break
        return Page(chunks, 1, kept.last, kept.job.state in FINAL, kept.job.fraction)

    async def load(self, job_id: str) -> Stored | None:
        """See ``EventLog``."""
        self.loads += 1
        await asyncio.sleep(0)
        kept = self._jobs.get(job_id)
        return None if kept is None else Stored(self._told(kept), kept.report_sequence, kept.time)

    async def find(self, job_id: str) -> Job | None:
        """See ``EventLog``."""
        kept = self._jobs.get(job_id)
        return None if kept is None else self._whole(kept)

    async def find_request(self, owner: str, request_id: str) -> str | None:
        """See ``EventLog``."""
        return next(
            (
                job_id
                for job_id, kept in self._jobs.items()
                if request_id and (kept.job.owner, kept.request_id) == (owner, request_id)
            ),
            None,
        )

    async def query(self, query: Query) -> Listed:
        """See ``EventLog``."""
        found: list[tuple[int, Job]] = []
        size = 0
        for kept in sorted(self._jobs.values(), key=lambda kept: kept.key, reverse=query.newest_first):
            if not _matches(query, kept):
                continue
            if len(found) == query.limit or size >= query.most_bytes:
                return Listed(found, more=True)
            found.append((kept.key, self._whole(kept)))
            size += found[-1][1].ByteSize()
        return Listed(found, more=False)

    async def active(self) -> Sequence[Job]:
        """See ``EventLog``."""
        return [self._told(kept) for kept in self._jobs.values() if kept.job.state in ACTIVE]

    async def close(self) -> None:
        """See ``EventLog``."""
        self.let_go()
        self._closed = True

    def _settle(self) -> None:
        durable: list[Commit] = []
        done: list[tuple[asyncio.Future[None], Exception | None]] = []
        while self._waiting and not self._held:
            commit, future = self._waiting.popleft()
            error = self.errors.popleft() if self.errors else None
            error = error or self._write(commit)
            done.append((future, error))
            if error is None:
                durable.append(commit)
        if durable:
            for listener in self._listeners:
                listener(durable)
        for future, error in done:
            if future.cancelled():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    def _write(self, commit: Commit) -> Conflict | None:
        kept = self._jobs.get(commit.job_id)
        if commit.submission is not None:
            submitted = commit.submission.job_submitted
            taken = submitted.request_id and any(
                (other.job.owner, other.request_id) == (submitted.job.owner, submitted.request_id)
                for other in self._jobs.values()
            )
            if kept is not None or taken:
                return Conflict(commit.job_id)
            whole = Job()
            whole.CopyFrom(submitted.job)
            kept = _Kept(len(self._jobs) + 1, Job(), whole, submitted.request_id, 0, 0, 0)
            self._jobs[commit.job_id] = kept
        if kept is None or kept.last != commit.chunk.first - 1:
            return Conflict(commit.job_id)
        kept.job = Job.FromString(commit.job)
        kept.last = commit.chunk.last
        kept.report_sequence = commit.report_sequence
        kept.time = commit.time
        if commit.chunk.frames:
            kept.chunks.append(commit.chunk)
        return None

    def _told(self, kept: _Kept) -> Job:
        job = Job()
        job.CopyFrom(kept.job)
        job.epoch = self.epoch
        job.first_sequence = 1
        return job

    def _whole(self, kept: _Kept) -> Job:
        job = self._told(kept)
        if kept.input.HasField("input"):
            job.input.CopyFrom(kept.input.input)
        return job


def _matches(query: Query, kept: _Kept) -> bool:
    job = kept.job
    return (
        query.owner in ("", job.owner)
        and (not query.kinds or job.kind in query.kinds)
        and (query.labels or {}).items() <= dict(job.labels).items()
        and query.parent_job_id in ("", job.parent_job_id)
        and (not query.job_ids or job.job_id in query.job_ids)
        and (not query.states or job.state in query.states)
        and (
            query.after is None
            or ((kept.key < query.after) is query.newest_first and kept.key != query.after)
        )
    )
