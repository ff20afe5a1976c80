"""The event log in one directory: a SQLite database, written by one thread and read by a few."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from milepost.server.decide import FINAL
from milepost.server.log import statements
from milepost.server.log.epoch import EpochMark
from milepost.server.log.event_log import Commit, Listed, Page, Query, Stored, StoreFailed
from milepost.server.log.frames import Chunk
from milepost.server.log.schema import migrate
from milepost.server.log.writer import Outcome, Writer
from milepost.v1 import Job

_READERS = 2


class SqliteEventLog:
    """An ``EventLog`` in ``directory``; made in a running event loop, and used from it only.

    Raises SchemaTooNew, or sqlite3.Error where the database cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "milepost.db"
        connection = self._open()
        migrate(connection)
        self._mark = EpochMark(directory / "epoch.json", self._path)
        (position,) = connection.execute(statements.LAST_POSITION).fetchone()
        self._epoch = self._mark.settle(_meta(connection, "epoch"), position)
        connection.execute(statements.SET_META, ("epoch", self._epoch))
        secret = _meta(connection, "lease_secret") or secrets.token_hex(32)
        connection.execute(statements.SET_META, ("lease_secret", secret))
        self._lease_secret = bytes.fromhex(secret)
        self._mark.renew(position, now=True)
        self._position = position

        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._listeners: list[Callable[[Sequence[Commit]], None]] = []
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="milepost-reader")
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._closed = False
        self.failed: asyncio.Future[StoreFailed] = self._loop.create_future()
        """Done once the store does not work any more."""
        self._writer = Writer(connection, self._deliver, self._written)

    @property
    def epoch(self) -> str:
        """See ``EventLog``."""
        return self._epoch

    @property
    def lease_secret(self) -> bytes:
        """See ``EventLog``."""
        return self._lease_secret

    def append(self, commit: Commit) -> asyncio.Future[None]:
        """See ``EventLog``."""
        future: asyncio.Future[None] = self._loop.create_future()
        if self._closed:
            future.set_exception(StoreFailed("the store is closed"))
            return future
        self._waiting[id(commit)] = future
        self._writer.put(commit)
        return future

    def follow(self, listener: Callable[[Sequence[Commit]], None]) -> None:
        """See ``EventLog``."""
        self._listeners.append(listener)

    async def read(self, job_id: str, cursor: int, most_bytes: int) -> Page | None:
        """See ``EventLog``."""
        page: Page | None = await self._reading(self._read, job_id, cursor, most_bytes)
        return page

    async def load(self, job_id: str) -> Stored | None:
        """See ``EventLog``."""
        row = await self._row(statements.LOAD, job_id)
        return None if row is None else Stored(self._job(row[0], None, row[1]), row[2], row[3])

    async def find(self, job_id: str) -> Job | None:
        """See ``EventLog``."""
        row = await self._row(statements.FIND, job_id)
        return None if row is None else self._job(*row)

    async def find_request(self, owner: str, request_id: str) -> str | None:
        """See ``EventLog``."""
        row = await self._row(statements.FIND_REQUEST, owner, request_id)
        return None if row is None else row[0]

    async def query(self, query: Query) -> Listed:
        """See ``EventLog``."""
        listed: Listed = await self._reading(self._query, query)
        return listed

    async def active(self) -> Sequence[Job]:
        """See ``EventLog``."""
        rows = await self._rows(statements.ACTIVE, [])
        return [self._job(job, None, first) for job, first in rows]

    async def close(self) -> None:
        """See ``EventLog``."""
        self._closed = True
        await asyncio.to_thread(self._writer.close)
        await asyncio.sleep(0)  # what the writer delivered last is taken first
        self._readers.shutdown()
        for connection in self._opened:
            connection.close()
        self._mark.renew(self._position, now=True)

    def _open(self) -> sqlite3.Connection:
        # Each connection is used by one thread; the threads change only before they start and after they end.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        for pragma in statements.PRAGMAS:
            connection.execute(pragma)
        return connection

    # --- Writing: what the writer's thread tells --------------------------------------------------------------------

    def _written(self, position: int) -> None:
        self._position = position
        self._mark.renew(position)

    def _deliver(self, outcomes: Sequence[Outcome]) -> None:
        self._loop.call_soon_threadsafe(self._settle, outcomes)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        durable = [commit for commit, error in outcomes if error is None]
        if durable:
            for listener in self._listeners:
                listener(durable)
        for commit, error in outcomes:
            future = self._waiting.pop(id(commit))
            if future.cancelled():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
            if isinstance(error, StoreFailed) and not self.failed.done():
                self.failed.set_result(error)

    # --- Reading: on the readers' threads ---------------------------------------------------------------------------

    async def _reading(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await self._loop.run_in_executor(self._readers, function, *arguments)

    async def _row(self, statement: str, *parameters: Any) -> Any:
        return await self._reading(lambda: self._reader().execute(statement, parameters).fetchone())

    async def _rows(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        rows: list[Any] = await self._reading(
            lambda: self._reader().execute(statement, parameters).fetchall()
        )
        return rows

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
            connection.execute("PRAGMA query_only = ON")
            self._opened.append(connection)
        return connection

    def _read(self, job_id: str, cursor: int, most_bytes: int) -> Page | None:
        connection = self._reader()
        connection.execute("BEGIN")  # the job and its log are of one moment
        try:
            row = connection.execute(statements.JOB_ROW, (job_id,)).fetchone()
            if row is None:
                return None
            key, state, first, last, job = row
            chunks = []
            size = 0
            if cursor < last:
                for found in connection.execute(statements.CHUNKS, (key, cursor)):
                    chunk = Chunk(*found).after(cursor)
                    chunks.append(chunk)
                    size += len(chunk.frames)
                    if size >= most_bytes:
                        break
            return Page(chunks, first, last, state in FINAL, Job.FromString(job).fraction)
        finally:
            connection.execute("COMMIT")

    def _query(self, query: Query) -> Listed:
        jobs: list[tuple[int, Job]] = []
        size = 0
        # Closed before it is exhausted, so that it does not keep the log from being checkpointed.
        with closing(self._reader().execute(*statements.listing(query))) as rows:
            for key, job, given, first in rows:
                if len(jobs) == query.limit or size >= query.most_bytes:
                    return Listed(jobs, more=True)
                jobs.append((key, self._job(job, given, first)))
                size += len(job) + len(given or b"")
        return Listed(jobs, more=False)

    def _job(self, stored: bytes, given: bytes | None, first_sequence: int) -> Job:
        job = Job.FromString(stored)
        if given is not None:
            job.input.ParseFromString(given)
        job.epoch = self._epoch
        job.first_sequence = first_sequence
        return job


def _meta(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute(statements.GET_META, (name,)).fetchone()
    return None if row is None else str(row[0])
