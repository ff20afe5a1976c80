"""A bare grpc.aio server, the baseline: it sends what Milepost would send, and does nothing else.

It has Milepost's methods, so that both get the same load, byte for byte. It decodes nothing and decides nothing: the
responses were recorded or built beforehand.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from bench.processes import Server, child
from milepost.server.log.event_log import Commit, job_attributes
from milepost.server.log.frames import Chunk
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.messages.payloads import STAGE_PROGRESSED
from milepost.server.messages.submission import Submission
from milepost.v1 import Job, JobState, Stage

__all__ = ["Script", "bare"]

_Context = grpc.aio.ServicerContext[bytes, bytes]


@dataclass(frozen=True)
class Script:
    """The responses of the server."""

    opening: Sequence[bytes] = ()
    """Sent at the start of each WatchJob."""
    updates: Sequence[bytes] = ()
    """Sent to each WatchJob after that: one for each request of Work, except the first of a session."""
    replies: Sequence[bytes] = ()
    """The answers of each Work, one for each request."""
    database: Path | None = None
    """A database that each update is committed to first, one row in one transaction, as durably as Milepost's log."""
    log: Path | None = None
    """A new directory of Milepost's own log, to which each update is appended first, as events of one job."""
    file: Path | None = None
    """A file that each update is appended to first, with an fsync."""


@contextmanager
def bare(script: Script) -> Iterator[Server]:
    """Run the server in a child process, on a free loopback port."""
    with child(_serve, script) as (pid, pipe):
        yield Server(f"127.0.0.1:{pipe.recv()}", pid)


def _serve(pipe: Connection, script: Script) -> None:
    asyncio.run(_run(pipe, script))


async def _run(pipe: Connection, script: Script) -> None:
    servicer = _Servicer(script)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "milepost.v1.JobService", {"WatchJob": grpc.unary_stream_rpc_method_handler(servicer.watch)}
            ),
            grpc.method_handlers_generic_handler(
                "milepost.v1.WorkerService", {"Work": grpc.stream_stream_rpc_method_handler(servicer.work)}
            ),
        )
    )
    pipe.send(server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    try:
        await asyncio.to_thread(pipe.recv)
    except EOFError:
        await server.stop(1)


class _Servicer:
    def __init__(self, script: Script) -> None:
        self._script = script
        self._released = 0
        self._changed = asyncio.Event()
        self._store: _Store | _Log | None = None
        if script.database is not None:
            self._store = _Store(script.database)
        elif script.log is not None:
            self._store = _Log(script.log)
        self._file = None if script.file is None else script.file.open("ab", buffering=0)

    async def watch(self, request: Any, context: _Context) -> None:
        released = self._released
        for message in self._script.opening:
            await context.write(message)
        for number, message in enumerate(self._script.updates, released + 1):
            while self._released < number:
                await self._changed.wait()
            await context.write(message)

    async def work(self, requests: AsyncIterator[bytes], context: _Context) -> None:
        replies = iter(self._script.replies)
        await anext(requests)
        await context.write(next(replies))
        updates = iter(self._script.updates)
        async for _ in requests:
            update = next(updates, None)
            if update is not None:
                if self._store is not None:
                    await self._store.commit(update)
                if self._file is not None:
                    self._file.write(update)
                    os.fsync(self._file.fileno())
                self._released += 1
                self._changed.set()
                self._changed = asyncio.Event()
            await context.write(next(replies))


class _Store:
    """One table, one writer thread."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE log (position INTEGER PRIMARY KEY, frames BLOB NOT NULL)")

    async def commit(self, row: bytes) -> None:
        """Returns once the row is durable."""
        loop = asyncio.get_running_loop()
        statement = "INSERT INTO log (frames) VALUES (?)"
        await loop.run_in_executor(self._thread, self._connection.execute, statement, (row,))


class _Log:
    """Milepost's log, with the events of one job. The commits do what those of plain progress do."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self._log = SqliteEventLog(path)
        stages = [Stage(stage_id=f"stage-{number}", unit="bytes") for number in range(5)]
        self._job = Job(job_id=str(uuid.uuid4()), kind="bench", stages=stages)
        self._attributes = job_attributes(self._job)
        self._last = 0

    async def commit(self, frames: bytes) -> None:
        """Returns once the event is durable."""
        is_first = self._last == 0
        self._last += 1
        await self._log.append(
            Commit(
                attributes=self._attributes,
                chunk=Chunk(self._last, self._last, frames),
                job=self._job.SerializeToString(),
                state_before=JobState.JOB_STATE_RUNNING,
                state=JobState.JOB_STATE_RUNNING,
                fraction_before=0.0,
                fraction=0.0,
                report_sequence=self._last,
                time=time.time_ns(),
                is_transition=is_first,
                ends=False,
                payloads=STAGE_PROGRESSED,
                submission=Submission("", None) if is_first else None,
            )
        )
