"""Tokens that are replaced or revoked while a block, or a command, has a job."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from milepost.client import Client, SyncClient
from milepost.client.errors import TokenExpired
from milepost.v1 import Dispatch, JobState
from tests.support.command import started
from tests.support.rotating import Rotation, loaded, until
from tests.support.rpc import eventually, state_name
from tests.support.server import Server


async def test_a_block_keeps_its_lease(server: Server, rotation: Rotation, observer: Client) -> None:
    """`start` and `attach` go on with another token."""
    await loaded(server, rotation.current)
    async with Client(server.address, token=rotation) as client:
        async with client.start("k") as job:
            job.log("before")
            calls = rotation.calls
            rotation.next()
            await until(lambda: rotation.calls > calls)
            job.log("after")
            job.result = {"done": True}
        assert await client.result(job.id) == {"done": True}
    ended = await observer.get(job.id)
    assert (state_name(ended), ended.attempt) == ("SUCCEEDED", 1)
    async with observer.watch(job.id) as watch:
        lines = [event.log_written.text async for event in watch if event.HasField("log_written")]
    assert lines == ["before", "after"]


async def test_a_block_without_asyncio(server: Server, rotation: Rotation, observer: Client) -> None:
    """It goes on with another token; without one, it is told to stop, and raises the error where it ends."""
    await loaded(server, rotation.current)
    held, ended = threading.Event(), threading.Event()
    reports = []

    def block() -> None:
        with (
            SyncClient(server.address, token=rotation) as client,
            client.start("k", flush_timeout=0.1) as job,
        ):
            reports.append(job.id)
            held.wait()
            job.log("after")
            job.on_cancel(ended.set)
            ended.wait()

    running = asyncio.create_task(asyncio.to_thread(block))
    await until(lambda: bool(reports))
    calls = rotation.calls
    rotation.next()
    await until(lambda: rotation.calls > calls)
    held.set()

    async def has_reported() -> bool:
        async with observer.watch(reports[0], follow=False) as watch:
            return "after" in [event.log_written.text async for event in watch]

    await eventually(has_reported)
    rotation.revoke()
    with pytest.raises(TokenExpired):
        await running


async def test_a_command_goes_on_without_a_token(
    server: Server, rotation: Rotation, observer: Client, tmp_path: Path
) -> None:
    """`milepost exec` lets its command run to its own end, and exits with its status."""
    await loaded(server, rotation.current)
    gate = tmp_path / "gate"
    command = ("sh", "-c", f"until test -e {gate}; do sleep 0.05; done; exit 7")
    arguments = ("exec", "--kind", "k", "--", *command)
    env = {"MILEPOST_TOKEN": rotation.current}
    async with started(*arguments, address=server.address, env=env) as running:

        async def is_running() -> bool:
            return [job.kind async for job in observer.list(states=[JobState.JOB_STATE_RUNNING])] == ["k"]

        await eventually(is_running)
        rotation.revoke()
        await running.says("the command goes on without it")
        gate.touch()
        assert (await running.end()).status == 7


async def test_a_token_that_expires_after_the_claim_of_a_block_was_refused(
    server: Server, rotation: Rotation, observer: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A block that goes on without being reported needs no token: nothing is raised."""
    await loaded(server, rotation.current)
    job_id = (await observer.submit("k", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
    await observer.cancel(job_id)
    server.kill()
    async with Client(server.address, token=rotation.current) as client:
        block = client.attach(job_id, on_unreachable="go on")
        async with block as job:
            server.restart()
            await until(lambda: "goes on without being reported" in caplog.text)
            rotation.revoke()
            await until(block.attachment._connection.done)
            job.result = {"n": 1}

    assert f"job {job_id}: the connection ended: " in caplog.text
