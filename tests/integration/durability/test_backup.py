"""``milepost backup``: copy the log of a running server, and start a server on the copy."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import grpc.aio
import pytest

from milepost.v1 import BackUpRequest, BackUpResponse, Dispatch, ErrorReason, Resume, WatchJobRequest
from tests.support.bad_requests import struct
from tests.support.command import environment, milepost, started
from tests.support.forking import Forkery
from tests.support.proxy import CuttableProxy
from tests.support.refused import refused
from tests.support.reporting import Reporter
from tests.support.rpc import Rpc, connect, eventually, kinds
from tests.support.server import MILEPOST, ServerProcess


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server with its log in a data directory."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as found:
        yield found


async def fill(rpc: Rpc) -> None:
    """Make the log larger than the buffers of a connection."""
    for _ in range(12):
        await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, input=struct({"x": "x" * 1_000_000}))


def restore(file: Path, data: Path) -> None:
    """Restore as documented, while the server is stopped."""
    shutil.copy(file, data / "milepost.db")
    for name in ("milepost.db-wal", "milepost.db-shm"):
        (data / name).unlink(missing_ok=True)


async def test_a_backup_under_load_is_restored(server: ServerProcess, tmp_path: Path) -> None:
    """The copy has everything that was acknowledged before; a server on it has another epoch (rule 4)."""
    file = tmp_path / "copy.db"
    async with AsyncExitStack() as stack:
        rpc, *others = [await stack.enter_async_context(connect(server.address)) for _ in range(3)]
        reporters = [Reporter(each, seed) for seed, each in enumerate(others)]
        for reporter in reporters:
            await reporter.claim(2)
        tasks = [task for reporter in reporters for task in reporter.tasks]
        async with asyncio.TaskGroup() as group:
            for reporter in reporters:
                group.create_task(reporter.run())
            await eventually(lambda: have_reported(reporters, 50))
            before = {task.job_id: task.acknowledged for task in tasks}
            outcome = await milepost("backup", file, "--output", "json", address=server.address)
            assert outcome.status == 0, outcome.err
            await eventually(lambda: have_reported(reporters, 100 + sum(before.values())))
            for task in tasks:
                task.finish()
        for task in tasks:
            assert task.lines == await lines(rpc, task.job_id)
    (result,) = outcome.objects
    assert result["backup"]["epoch"] == server.epoch
    assert int(result["backup"]["sizeBytes"]) == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with closing(sqlite3.connect(server.data / "milepost.db")) as database:
        (secret,) = database.execute("SELECT value FROM meta WHERE name = 'lease_secret'").fetchone()
    assert secret.encode() not in file.read_bytes()

    server.stop()
    epoch = server.epoch
    restore(file, server.data)
    server.restart()
    assert server.epoch != epoch
    async with connect(server.address) as rpc:
        for task in tasks:
            kept = await lines(rpc, task.job_id)
            assert kept == task.lines[: len(kept)]
            assert before[task.job_id] <= len(kept)
            log = await rpc.log(task.job_id)
            assert [event.sequence for event in log] == list(range(1, len(log) + 1))
            assert kinds(log)[:2] == ["job_submitted", "job_started"]
        task = tasks[0]
        gone = await refused(
            anext(aiter(rpc.jobs.WatchJob(WatchJobRequest(job_id=task.job_id, epoch=epoch))))
        )
        assert gone.reason == "EPOCH_CHANGED"
        async with rpc.session(kinds=[]) as session:
            await session.send(resume=Resume(job_id=task.job_id, lease_token=task.token))
            rejected = (await session.receive("rejected")).rejected
            assert rejected.reason == ErrorReason.ERROR_REASON_LEASE_LOST


async def have_reported(reporters: list[Reporter], number: int) -> bool:
    """Whether this many reports are acknowledged."""
    return sum(reporter.acknowledged for reporter in reporters) >= number


def names(directory: Path) -> list[str]:
    """The content of the directory."""
    return [path.name for path in directory.iterdir()]


async def lines(rpc: Rpc, job_id: str) -> list[str]:
    """The lines in the job's log."""
    return [event.log_written.text for event in await rpc.log(job_id) if event.HasField("log_written")]


async def test_one_at_a_time_and_a_cancelled_one_leaves_nothing(server: ServerProcess) -> None:
    """A second backup is refused with a retry delay; the unread copy of the first is deleted with its call."""
    async with connect(server.address) as rpc:
        await fill(rpc)
        first = rpc.admin.BackUp(BackUpRequest())
        opened = await first.read()
        assert isinstance(opened, BackUpResponse)
        header = opened.header
        assert (header.epoch, header.last_position) == (server.epoch, 12)
        refusal = await refused(rpc.admin.BackUp(BackUpRequest()).read())
        assert (refusal.code, refusal.reason, refusal.retry_delay) == (
            "RESOURCE_EXHAUSTED",
            "LIMIT_REACHED",
            5.0,
        )
        first.cancel()

        async def works_again() -> bool:
            parts = rpc.admin.BackUp(BackUpRequest())
            try:
                received = [part async for part in parts]
            except grpc.aio.AioRpcError:  # the first one is not over yet
                return False
            return sum(len(part.data) for part in received) == received[0].header.size_bytes

        await eventually(works_again)
    assert "backup.partial" not in names(server.data)


async def test_a_server_that_stops_ends_a_backup(server: ServerProcess) -> None:
    """Its caller gets the reason, and the server does not wait for it."""
    async with connect(server.address) as rpc:
        await fill(rpc)
        parts = rpc.admin.BackUp(BackUpRequest())
        await parts.read()
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))

        async def is_stopping() -> bool:
            return '"event": "stopping"' in server.log_path.read_text()

        async def read_all() -> None:
            while await parts.read():
                pass

        await eventually(is_stopping)
        refusal = await refused(read_all())
        assert refusal.reason == "DRAINING", refusal
        assert await stopping == 0


@pytest.mark.parametrize("there", ["a file", "a link"])
async def test_a_file_that_exists_is_not_replaced(server: ServerProcess, tmp_path: Path, there: str) -> None:
    """Any existing file stays unchanged."""
    file = tmp_path / "mine"
    if there == "a file":
        file.write_text("mine")
    else:
        file.symlink_to(tmp_path / "nowhere")
    outcome = await milepost("backup", file, address=server.address)
    assert outcome.status == 2
    assert f"Error: '{file}' exists" in outcome.err
    assert file.is_symlink() or file.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


async def test_a_backup_that_is_interrupted_leaves_nothing(server: ServerProcess, tmp_path: Path) -> None:
    """Also while it waits for a server that does not answer."""
    target = tmp_path / "target"
    target.mkdir()
    async with connect(server.address) as rpc:
        await fill(rpc)
    with CuttableProxy(server.address) as proxy:
        proxy.stall()
        async with started("backup", target / "copy.db", address=proxy.address) as running:

            async def has_begun() -> bool:
                return names(target) != []

            await eventually(has_begun)
            running.signal(signal.SIGINT)
            outcome = await running.end()
    assert outcome.status == 130
    assert names(target) == []


async def test_a_backup_of_a_server_that_is_away(tmp_path: Path) -> None:
    """It prints an error, and creates no file."""
    outcome = await milepost("backup", tmp_path / "copy.db", address="127.0.0.1:1")
    assert outcome.status == 5
    assert names(tmp_path) == []


async def test_a_disk_of_the_caller_that_is_full(server: ServerProcess, tmp_path: Path) -> None:
    """The command exits with the status of lost output, and leaves no file."""
    target = tmp_path / "target"
    target.mkdir()
    limited = f"ulimit -f 200; exec {MILEPOST} backup {target / 'copy.db'}"
    async with connect(server.address) as rpc:
        await fill(rpc)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", limited, env=environment(server.address), stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert process.returncode == 74
    assert "cannot be written (File too large)" in err.decode()
    assert names(target) == []
