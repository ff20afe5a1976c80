"""Only one server at a time uses a database, by whatever path."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milepost.v1 import Dispatch
from tests.support.forking import Forkery
from tests.support.rpc import connect
from tests.support.server import ServerProcess


@pytest.fixture
def alone(tmp_path: Path, forkery: Forkery) -> Iterator[ServerProcess]:
    """A running server with a database."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        yield server


def by_link_to_the_directory(data: Path) -> Path:
    """A symbolic link to the directory."""
    other = data.with_name("other")
    other.symlink_to(data)
    return other


def by_symbolic_link(data: Path) -> Path:
    """A symbolic link to the database in another directory."""
    other = data.with_name("other")
    other.mkdir()
    (other / "milepost.db").symlink_to(data / "milepost.db")
    return other


def by_hard_link(data: Path) -> Path:
    """A hard link to the database, for which SQLite would create another write-ahead log."""
    other = data.with_name("other")
    other.mkdir()
    os.link(data / "milepost.db", other / "milepost.db")
    return other


@pytest.mark.parametrize("reach", [by_link_to_the_directory, by_symbolic_link, by_hard_link])
async def test_a_second_server_by_another_path(
    alone: ServerProcess, forkery: Forkery, reach: Callable[[Path], Path]
) -> None:
    """It exits with an error; the first one continues."""
    second = ServerProcess(reach(alone.data), forkery=forkery)
    with pytest.raises(RuntimeError, match="is in use by another milepost serve"), second:
        pass
    assert await asyncio.to_thread(second.wait) != 0

    async with connect(alone.address) as rpc:
        await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)


async def test_a_second_server_after_the_lock_file_was_deleted(
    alone: ServerProcess, forkery: Forkery
) -> None:
    """Before the first one notices: the database itself is locked. A killed server leaves no lock."""
    os.kill(alone.pid, signal.SIGSTOP)  # it cannot notice
    (alone.data / "lock").unlink()
    second = ServerProcess(alone.data, forkery=forkery)
    with pytest.raises(RuntimeError, match=r"The database .* is in use by another milepost serve"), second:
        pass
    second.wait()
    alone.kill()
    epoch = alone.epoch
    alone.restart()
    assert alone.epoch == epoch


async def test_a_lock_file_that_was_truncated(alone: ServerProcess, forkery: Forkery) -> None:
    """It still keeps a second server out, which only does not know which process has it."""
    os.truncate(alone.data / "lock", 0)
    second = ServerProcess(alone.data, forkery=forkery)
    with pytest.raises(RuntimeError, match=r"in use by another milepost serve \(process unknown\)"), second:
        pass
    second.wait()
    assert alone.runs


async def test_a_database_behind_a_symbolic_link(alone: ServerProcess, forkery: Forkery) -> None:
    """One server can use it; SQLite creates the write-ahead log beside the real database."""
    async with connect(alone.address) as rpc:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    alone.stop()
    with ServerProcess(by_symbolic_link(alone.data), forkery=forkery) as linked:
        async with connect(linked.address) as rpc:
            assert (await rpc.get(job.job_id)).submit_time == job.submit_time
            await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
