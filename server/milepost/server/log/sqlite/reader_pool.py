"""The reading half of a log in SQLite: short reads in a lane of their own, so that they never wait for long ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.log.event_log import (
    ACTIVE_PAGE_BYTES,
    ChildrenSummary,
    EndedJob,
    EventPage,
    FeedPage,
    JobIdentity,
    JobPage,
    Query,
    StoredJob,
)
from milepost.server.log.sqlite.read_lane import ReadLane
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.stored_runs import StoredRun
from milepost.server.scheduling.callers import SERVER
from milepost.v1 import Job

_logger = structlog.get_logger("milepost.store")

SHORT_READ_THREADS: Final = 1
"""Threads for reads of one job's row, such as ``GetJob``, opening a job for a decision, or looking a request up."""

LONG_READ_THREADS: Final = 2
"""Threads for replays, lists, and other reads of many rows."""


class ReaderPool:
    """The reading methods of ``EventLog``. It calls ``open_reader`` once on each of its threads."""

    def __init__(self, open_reader: Callable[[], Reader]) -> None:
        self._short = ReadLane(open_reader, SHORT_READ_THREADS, "short-reader")
        self._long = ReadLane(open_reader, LONG_READ_THREADS, "reader")
        self._damaged = FaultLog(_logger, "job left out of a list", logging.ERROR)

    def close_readers(self) -> None:
        """Finish pending reads and close the connections."""
        self._short.close()
        self._long.close()

    async def read(
        self, job_id: str, cursor: int, max_bytes: int, *, caller: str = SERVER, short: bool = False
    ) -> EventPage | None:
        """See ``EventLog``."""
        lane = self._short if short else self._long
        return await lane.run(caller, lambda reader: reader.page(job_id, cursor, max_bytes))

    async def read_feed(
        self, query: Query, after: int, max_bytes: int, known: int, *, caller: str = SERVER
    ) -> FeedPage:
        """See ``EventLog``."""
        return await self._long.run(caller, lambda reader: reader.read_feed(query, after, max_bytes, known))

    async def dropped(self, query: Query, known: int = 0, *, caller: str = SERVER) -> Mapping[int, int]:
        """See ``EventLog``."""
        return await self._long.run(caller, lambda reader: reader.dropped(query, known))

    async def load(self, job_id: str, *, caller: str = SERVER) -> StoredJob | None:
        """See ``EventLog``."""
        return await self._short.run(caller, lambda reader: reader.load(job_id))

    async def find(self, job_id: str, *, caller: str = SERVER) -> Job | None:
        """See ``EventLog``."""
        return await self._short.run(caller, lambda reader: reader.find(job_id))

    async def identify(self, job_id: str, *, caller: str = SERVER) -> JobIdentity | None:
        """See ``EventLog``."""
        return await self._short.run(caller, lambda reader: reader.identify(job_id))

    async def find_request(self, owner: str, request_id: str, *, caller: str = SERVER) -> str | None:
        """See ``EventLog``."""
        return await self._short.run(caller, lambda reader: reader.find_request(owner, request_id))

    async def has_children_of_others(self, job_id: str, owner: str, *, caller: str = SERVER) -> bool:
        """See ``EventLog``."""
        return await self._short.run(caller, lambda reader: reader.has_children_of_others(job_id, owner))

    async def active_children(self, job_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """See ``EventLog``."""
        return await self._long.run(SERVER, lambda reader: reader.active_children(job_id, after, limit))

    async def query(self, query: Query, *, caller: str = SERVER) -> JobPage:
        """See ``EventLog``."""
        page = await self._long.run(caller, lambda reader: reader.list_jobs(query))
        for job_id in page.damaged:
            self._damaged.note(job_id, job_id=job_id, error="its row is damaged")
        return page

    async def active(self, after: int = 0, max_bytes: int = ACTIVE_PAGE_BYTES) -> JobPage:
        """See ``EventLog``."""
        return await self._long.run(SERVER, lambda reader: reader.active(after, max_bytes))

    async def children_summary(self, job_id: str) -> ChildrenSummary:
        """See ``EventLog``."""
        return await self._short.run(SERVER, lambda reader: reader.children_summary(job_id))

    async def ended(self, after: tuple[int, int], limit: int) -> Sequence[EndedJob]:
        """See ``EventLog``."""
        return await self._long.run(SERVER, lambda reader: reader.ended(after, limit))

    async def runs(self, owner: str, kind: str, *, caller: str = SERVER) -> Sequence[StoredRun]:
        """See ``EventLog``."""
        return await self._short.run(caller, lambda reader: reader.runs(owner, kind))

    async def recent_kinds(self, limit: int) -> Sequence[tuple[str, str]]:
        """See ``EventLog``."""
        return await self._long.run(SERVER, lambda reader: reader.recent_kinds(limit))
