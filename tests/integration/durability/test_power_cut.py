"""Power cuts: only synced data survives. The tests need root."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.following import follow
from tests.support.forking import Forkery
from tests.support.power import PoweredDisk
from tests.support.reporting import Reporter
from tests.support.rpc import connect, eventually
from tests.support.server import ServerProcess
from tests.support.validators import History, Recording, check

pytestmark = pytest.mark.nightly

WORKERS = 4
CUTS = 10
REPORTS = 200
"""Acknowledgements before each cut."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[PoweredDisk]:
    """A disk for the test."""
    with PoweredDisk(tmp_path / "disk") as made:
        yield made


async def test_nothing_acknowledged_is_lost(disk: PoweredDisk, forkery: Forkery) -> None:
    """No acknowledged report and no sent event is lost; the log has exactly the reports."""
    chance = random.Random(1)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(ServerProcess(disk.path, forkery=forkery))
        epoch = server.epoch
        rpcs = [await stack.enter_async_context(connect(server.address)) for _ in range(WORKERS)]
        reporters = [Reporter(rpc, chance.getrandbits(32)) for rpc in rpcs]
        for reporter in reporters:
            await reporter.claim(1)
        tasks = [task for reporter in reporters for task in reporter.tasks]
        seen = [Recording(breaks=True) for _ in tasks]

        async def flow() -> None:
            before = [reporter.acknowledged for reporter in reporters]

            async def flowed() -> bool:
                moved = [r.acknowledged - b for r, b in zip(reporters, before, strict=True)]
                return all(moved) and sum(moved) >= REPORTS

            await eventually(flowed)

        async with asyncio.TaskGroup() as group:
            for reporter in reporters:
                group.create_task(reporter.run())
            for rpc, task, recording in zip(rpcs, tasks, seen, strict=True):
                group.create_task(follow(rpc, task.job_id, recording))
            for _ in range(CUTS):
                await flow()
                disk.cut(server.pid)
                server.kill()
                disk.restore()
                await asyncio.to_thread(server.restart)
                assert epoch == server.epoch
            await flow()
            for task in tasks:
                task.finish()
        for rpc, task, recording in zip(rpcs, tasks, seen, strict=True):
            log = await rpc.log(task.job_id)
            assert task.lines == [event.log_written.text for event in log if event.HasField("log_written")]
            assert log == recording.events
            check(recording, History.of_log(log))
        assert server.stop() == 0


@pytest.mark.parametrize(("synchronous", "loses"), [("FULL", False), ("OFF", True)])
def test_unsynced_rows_are_lost(disk: PoweredDisk, synchronous: str, loses: bool) -> None:
    """The control: a database that does not wait for the disk loses rows, so the test above can fail."""
    path, rows = disk.path / "control.db", 500
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE rows (number INTEGER)")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    for number in range(rows):
        connection.execute("INSERT INTO rows VALUES (?)", (number,))
    disk.cut()
    with contextlib.suppress(sqlite3.Error):
        connection.close()
    disk.restore()

    again = sqlite3.connect(path)
    (kept,) = again.execute("SELECT count(*) FROM rows").fetchone()
    again.close()
    assert loses == (kept < rows)
