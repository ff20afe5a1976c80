"""The reading half of a log in SQLite: a thread pool with one connection per thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from milepost.server.log.event_log import (
    ACTIVE_PAGE_BYTES,
    ChildrenSummary,
    EndedJob,
    EventPage,
    FeedPage,
    JobPage,
    Query,
    StoredJob,
)
from milepost.server.log.sqlite.reader import Reader
from milepost.v1 import Job

_READER_THREADS = 2

_Result = TypeVar("_Result")


class ReaderPool:
    """The reading methods of ``EventLog``. It calls ``open_reader`` once on each of its threads."""

    def __init__(self, open_reader: Callable[[], Reader]) -> None:
        self._open_reader = open_reader
        self._threads = ThreadPoolExecutor(_READER_THREADS, thread_name_prefix="milepost-reader")
        self._local = threading.local()
        self._readers: list[Reader] = []

    def close_readers(self) -> None:
        """Finish pending reads and close the connections."""
        self._threads.shutdown()
        for reader in self._readers:
            reader.close()

    async def read(self, job_id: str, cursor: int, max_bytes: int) -> EventPage | None:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.page(job_id, cursor, max_bytes))

    async def read_feed(self, query: Query, after: int, max_bytes: int, known: int) -> FeedPage:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.read_feed(query, after, max_bytes, known))

    async def dropped(self, query: Query, known: int = 0) -> Mapping[int, int]:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.dropped(query, known))

    async def load(self, job_id: str) -> StoredJob | None:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.load(job_id))

    async def find(self, job_id: str) -> Job | None:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.find(job_id))

    async def find_request(self, owner: str, request_id: str) -> str | None:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.find_request(owner, request_id))

    async def query(self, query: Query) -> JobPage:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.list_jobs(query))

    async def active(self, after: int = 0, max_bytes: int = ACTIVE_PAGE_BYTES) -> JobPage:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.active(after, max_bytes))

    async def children_summary(self, job_id: str) -> ChildrenSummary:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.children_summary(job_id))

    async def ended(self, after: tuple[int, int], limit: int) -> Sequence[EndedJob]:
        """See ``EventLog``."""
        return await self._read(lambda reader: reader.ended(after, limit))

    async def _read(self, function: Callable[[Reader], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: function(self._reader())
        )

    def _reader(self) -> Reader:
        """Return the current thread's reader."""
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._open_reader()
            self._readers.append(reader)
        return reader
