"""What the tests of the contract share: the stores that keep event logs. A new store is added to ``STORES``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from milepost.server.log.event_log import EventLog
from milepost.server.log.sqlite import SqliteEventLog
from tests.support.memory_disk import Disk
from tests.support.memory_log import MemoryEventLog

Open = Callable[[], Awaitable[EventLog]]
"""Opens the store; the same one again where it was opened, and closed, before."""


def sqlite(path: Path) -> Open:
    """The embedded store."""

    async def opened() -> EventLog:
        return SqliteEventLog(path)

    return opened


def memory(_: Path) -> Open:
    """The store of the simulation."""
    disk = Disk()

    async def opened() -> EventLog:
        return MemoryEventLog(disk)

    return opened


STORES: dict[str, Callable[[Path], Open]] = {"sqlite": sqlite, "memory": memory}


@pytest.fixture(params=STORES)
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the store."""
    return STORES[request.param](tmp_path)


@pytest.fixture
async def log(opening: Open) -> AsyncIterator[EventLog]:
    """An empty log."""
    opened = await opening()
    yield opened
    await opened.close()
