"""Fixtures of the contract tests: the implementations of the event log. Add a new one to ``STORES``."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from milepost.server.log.event_log import EventLog
from milepost.server.log.jetstream import job_publisher
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog

Open = Callable[[], Awaitable[EventLog]]
"""Open the store, again on the same data if it was opened and closed before."""


def sqlite(request: pytest.FixtureRequest) -> Open:
    """The SQLite log."""
    path: Path = request.getfixturevalue("tmp_path")

    async def opened() -> EventLog:
        return SqliteEventLog(path)

    return opened


def memory(_: pytest.FixtureRequest) -> Open:
    """The in-memory log."""
    disk = MemoryDisk()

    async def opened() -> EventLog:
        return MemoryEventLog(disk)

    return opened


def jetstream(request: pytest.FixtureRequest) -> Open:
    """The JetStream log, with one node on its own stream.

    Appends wait for a busy disk for longer than by default.
    """
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setattr(job_publisher, "APPEND_TIMEOUT", 60.0)
    path: Path = request.getfixturevalue("tmp_path")
    access = NatsAccess((request.getfixturevalue("nats_server").url,))
    names = StreamNames(f"test-{uuid.uuid4().hex}")

    async def opened() -> EventLog:
        log = JetStreamEventLog(path, access, names)
        await log.start()
        return log

    return opened


STORES: dict[str, Callable[[pytest.FixtureRequest], Open]] = {
    "sqlite": sqlite,
    "memory": memory,
    "jetstream": jetstream,
}


@pytest.fixture(params=STORES)
def opening(request: pytest.FixtureRequest) -> Open:
    """Open the store."""
    return STORES[request.param](request)


@pytest.fixture
async def log(opening: Open) -> AsyncIterator[EventLog]:
    """An empty log."""
    opened = await opening()
    yield opened
    await opened.close()
