"""An event log in memory, without threads and files: a test controls what it does, and when.

A log is one run of a store: writes that are not durable are lost with it. The `MemoryDisk` stays.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from milepost.contract.job_states import ACTIVE
from milepost.server.base.listeners import Listeners
from milepost.server.base.refusal import Unimplemented
from milepost.server.log.commit_times import CommitTimes
from milepost.server.log.event_log import (
    ACTIVE_PAGE_BYTES,
    FRACTION_SCALE,
    ChildrenSummary,
    Commit,
    CommitRow,
    DropNotice,
    EndedJob,
    Entry,
    EventPage,
    FeedPage,
    JobIdentity,
    JobPage,
    Query,
    StoredJob,
    state_mask,
)
from milepost.server.log.frames import joined_chunks
from milepost.server.log.log_errors import Conflict, StoreFailed
from milepost.server.log.memory.job_matching import matches
from milepost.server.log.memory.memory_disk import JobRecord, MemoryDisk
from milepost.server.log.node_presence import NoPeers, Peers, Presence
from milepost.server.log.sqlite.append import Append, coalesce_writes
from milepost.server.log.sqlite.log_copy import LogCopy
from milepost.server.log.sqlite.transaction import Transaction, Write
from milepost.server.log.stored_runs import StoredRun
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.v1 import Job

__all__ = ["Delays", "MemoryEventLog"]

_Group: TypeAlias = "deque[tuple[Write, PromptFuture[None]]]"


class _Maintenance(NamedTuple):
    """A write that removes events."""

    do: Callable[[], Entry | None]

    def write(self, _: Transaction) -> Entry | None:
        """See ``Write``."""
        return self.do()


class Delays:
    """Delays in seconds, and failures, that a test injects; this class injects none."""

    def commit(self) -> float:
        """Time until a group of writes is durable."""
        return 0.0

    def notify(self) -> float:
        """Time from there until listeners are called and futures resolve."""
        return 0.0

    def read(self) -> float:
        """Time until a read returns."""
        return 0.0

    def failure(self) -> Exception | None:
        """The error of the next group of writes: StoreFull for this group only, StoreFailed for good."""
        return None


class MemoryEventLog:
    """An ``EventLog`` on a `MemoryDisk`. Not thread-safe: for the loop that it was made in.
    Between ``hold`` and ``release`` nothing becomes durable.
    """

    is_shared = False

    def __init__(self, disk: MemoryDisk, delays: Delays | None = None) -> None:
        self._disk = disk
        self._delays = delays or Delays()
        self._loop = asyncio.get_running_loop()
        self._listeners: Listeners[Sequence[Entry]] = Listeners()
        self._waiting: _Group = deque()
        self._position = disk.position
        self.commit_times = CommitTimes()
        self._notify_at = 0.0
        self._pending_notifications = 0
        self._writing = self._holding = self._closed = self._has_crashed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.failed: asyncio.Future[StoreFailed] = self._loop.create_future()
        """Resolves when the store has failed for good."""

    @property
    def epoch(self) -> str:
        """See ``EventLog``."""
        return self._disk.epoch

    @property
    def lease_secret(self) -> bytes:
        """See ``EventLog``."""
        return self._disk.lease_secret

    @property
    def up(self) -> bool:
        """See ``EventLog``."""
        return True

    @property
    def position(self) -> int:
        """See ``EventLog``."""
        return self._position

    async def start(self) -> None:
        """See ``Store``: it is readable at once."""

    async def share_presence(self, here: Presence, interval: float) -> Peers:
        """See ``Store``: there are no other nodes."""
        return NoPeers()

    async def copy_to(self, path: Path) -> LogCopy:
        """See ``Store``: it is not in files."""
        raise Unimplemented("A log in memory cannot be backed up: it ends with the server.")

    def add_listener(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """See ``EventLog``."""
        self._listeners.add(listener)

    def hold(self) -> None:
        """Let no write become durable until ``release``."""
        self._holding = True

    def release(self) -> None:
        """Let held writes become durable."""
        self._holding = False
        self._start()

    def crash(self) -> None:
        """End at once, as a crash would: pending writes are lost, and their futures never resolve."""
        self._closed = self._has_crashed = True

    # Writing.

    def append(self, commit: Commit) -> PromptFuture[None]:
        """See ``EventLog``."""
        return self._write(Append(commit))

    def thin(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._write(_Maintenance(partial(self._disk.thin, job_id, submitted)))

    def trim(self, job_id: str, first_sequence: int, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._write(_Maintenance(partial(self._disk.trim, job_id, first_sequence, submitted)))

    def delete(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._write(_Maintenance(partial(self._disk.delete, job_id, submitted)))

    def revoke_shares(self, job_id: str, submitted: int | None = None) -> asyncio.Future[None]:
        """See ``EventLog``."""
        return self._write(_Maintenance(partial(self._disk.revoke_shares, job_id, submitted)))

    async def close(self) -> None:
        """See ``EventLog``."""
        self._closed = True
        self.release()
        await self._idle.wait()

    def _write(self, write: Write) -> PromptFuture[None]:
        future: PromptFuture[None] = PromptFuture(loop=self._loop)
        if self._closed or self.failed.done():
            if not self._has_crashed:
                future.set_exception(StoreFailed("the store is closed"))
            return future
        self._waiting.append((write, future))
        self._start()
        return future

    def _start(self) -> None:
        if self._waiting and not self._writing and not self._holding:
            self._writing = True
            self._idle.clear()
            group, self._waiting = self._waiting, deque()
            self._loop.call_later(self._delays.commit(), self._commit, group)

    def _commit(self, group: _Group) -> None:
        """Make a group durable. The next group is written while listeners still wait for this one."""
        self._writing = False
        if self._has_crashed:
            return
        if self._holding:
            self._waiting = group + self._waiting
            return
        outcomes: list[tuple[PromptFuture[None], Entry | None, Exception | None]] = []
        failure = self.failed.result() if self.failed.done() else self._delays.failure()
        futures = {id(write): future for write, future in group}
        for write, parts in coalesce_writes([write for write, _ in group]):
            entry, error = None, failure
            if failure is None:
                try:
                    entry = self._apply(write)
                except Conflict as conflict:
                    error = conflict
            outcomes += [(futures[id(part)], None, error) for part in parts[:-1]]
            outcomes.append((futures[id(parts[-1])], entry, error))
        if isinstance(failure, StoreFailed) and not self.failed.done():
            self.failed.set_result(failure)
        self._notify_at = max(self._notify_at, self._loop.time() + self._delays.notify())
        self._pending_notifications += 1
        self._loop.call_at(self._notify_at, self._resolve, outcomes)
        self._start()

    def _apply(self, write: Write) -> Entry | None:
        if isinstance(write, Append):
            return self._disk.append(write.commit)
        assert isinstance(write, _Maintenance)
        return write.do()

    def _resolve(self, outcomes: Sequence[tuple[PromptFuture[None], Entry | None, Exception | None]]) -> None:
        if self._has_crashed:
            return
        entries = [entry for _, entry, _ in outcomes if entry is not None]
        if entries:
            self._position = entries[-1].position
            self._listeners.notify(entries)
        for future, _, error in outcomes:
            if future.cancelled():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
        self._pending_notifications -= 1
        if not self._pending_notifications and not self._writing:
            self._idle.set()

    # Reading.

    async def catch_up(self, job_id: str) -> None:
        """See ``EventLog``: there are no other writers."""

    async def read(
        self, job_id: str, cursor: int, max_bytes: int, *, caller: str = SERVER, short: bool = False
    ) -> EventPage | None:
        """See ``EventLog``."""
        record = await self._find(job_id)
        if record is None:
            return None
        later = (stored.chunk.after(cursor) for stored in record.commits if stored.chunk.last > cursor)
        chunks = joined_chunks(later, max_bytes)
        return EventPage(chunks, record.first, record.thinned, record.last, Job.FromString(record.job))

    async def read_feed(
        self, query: Query, after: int, max_bytes: int, known: int, *, caller: str = SERVER
    ) -> FeedPage:
        """See ``EventLog``."""
        await self._delay_read()
        disk = self._disk
        entries: list[CommitRow | DropNotice] = []
        scanned, size = max(disk.position, after), 0
        for row in disk.rows():
            attributes = disk.records[row.job_id].attributes
            if row.position > after and matches(attributes, query, {row.state_before, row.state}):
                entries.append(row)
                size += len(row.chunk.frames)
                if size >= max_bytes:
                    scanned = row.position
                    break
        entries += [
            notice._replace(drops=()) for notice in self._notices(query) if after < notice.position <= scanned
        ]
        entries.sort(key=lambda entry: entry.position)
        return FeedPage(entries, scanned, self._dropped(query, known))

    async def dropped(self, query: Query, known: int = 0, *, caller: str = SERVER) -> Mapping[int, int]:
        """See ``EventLog``."""
        await self._delay_read()
        return self._dropped(query, known)

    async def load(self, job_id: str, *, caller: str = SERVER) -> StoredJob | None:
        """See ``EventLog``."""
        record = await self._find(job_id)
        return (
            None if record is None else StoredJob(self._disk.job(record), record.report_sequence, record.time)
        )

    async def find(self, job_id: str, *, caller: str = SERVER) -> Job | None:
        """See ``EventLog``."""
        record = await self._find(job_id)
        return None if record is None else self._disk.job(record, with_input=True)

    async def identify(self, job_id: str, *, caller: str = SERVER) -> JobIdentity | None:
        """See ``EventLog``."""
        record = await self._find(job_id)
        return None if record is None else record.identity

    async def find_request(self, owner: str, request_id: str, *, caller: str = SERVER) -> str | None:
        """See ``EventLog``."""
        await self._delay_read()
        return self._disk.requests.get((owner, request_id))

    async def has_children_of_others(self, job_id: str, owner: str, *, caller: str = SERVER) -> bool:
        """See ``EventLog``."""
        await self._delay_read()
        return self._disk.has_children_of_others(job_id, owner)

    async def active_children(self, job_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """See ``EventLog``."""
        await self._delay_read()
        return self._disk.active_children(job_id, after)[:limit]

    async def query(self, query: Query, *, caller: str = SERVER) -> JobPage:
        """See ``EventLog``."""
        await self._delay_read()
        jobs: list[tuple[int, Job]] = []
        size = 0
        for record in self._records(newest_first=query.newest_first):
            if query.after is not None and (record.key < query.after) != query.newest_first:
                continue
            if record.key == query.after or not matches(record.attributes, query, {record.state}):
                continue
            if len(jobs) == query.limit or size >= query.max_bytes:
                return JobPage(jobs, more=True)
            jobs.append((record.key, self._disk.job(record, with_input=True)))
            size += len(record.job) + len(record.input or b"")
        return JobPage(jobs, more=False)

    async def active(self, after: int = 0, max_bytes: int = ACTIVE_PAGE_BYTES) -> JobPage:
        """See ``EventLog``."""
        await self._delay_read()
        jobs: list[tuple[int, Job]] = []
        size = 0
        for record in self._records():
            if record.key > after and record.state in ACTIVE:
                if size >= max_bytes:
                    return JobPage(jobs, more=True)
                jobs.append((record.key, self._disk.job(record)))
                size += len(record.job)
        return JobPage(jobs, more=False)

    async def children_summary(self, job_id: str) -> ChildrenSummary:
        """See ``EventLog``."""
        record = await self._find(job_id)
        if record is None or not record.children:
            return ChildrenSummary(0, 0, 0.0)
        fraction = record.children_done / FRACTION_SCALE / record.children
        return ChildrenSummary(record.children, record.children_ended, fraction)

    async def ended(self, after: tuple[int, int], limit: int) -> Sequence[EndedJob]:
        """See ``EventLog``."""
        await self._delay_read()
        return self._disk.ended(after)[:limit]

    async def runs(self, owner: str, kind: str, *, caller: str = SERVER) -> Sequence[StoredRun]:
        """See ``EventLog``."""
        return self._disk.runs.get((owner, kind), [])

    async def recent_kinds(self, limit: int) -> Sequence[tuple[str, str]]:
        """See ``EventLog``."""
        return list(reversed(self._disk.runs))[:limit]

    def _notices(self, query: Query) -> Iterable[DropNotice]:
        return (n for n in self._disk.notices.values() if matches(n.attributes, query, set(query.states)))

    def _dropped(self, query: Query, known: int) -> dict[int, int]:
        found: dict[int, int] = {}
        for notice in self._notices(query):
            for drop in notice.drops if notice.position > known else ():
                payloads = drop.payloads_for(state_mask(query.states))
                if payloads:
                    found[payloads] = max(drop.position, found.get(payloads, 0))
        return found

    async def _find(self, job_id: str) -> JobRecord | None:
        await self._delay_read()
        record = self._disk.records.get(job_id)
        return None if record is None else replace(record, commits=list(record.commits))

    def _records(self, *, newest_first: bool = False) -> Iterable[JobRecord]:
        records = list(self._disk.records.values())
        return reversed(records) if newest_first else records

    async def _delay_read(self) -> None:
        await asyncio.sleep(self._delays.read())
