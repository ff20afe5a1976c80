"""What the SDK and the command show of estimates and of what they rest on."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict

import pytest
from google.protobuf.json_format import MessageToDict

from milepost.client import Client, JobContext, SyncClient
from milepost.client.errors import InvalidField
from milepost.fold import Fold
from milepost.v1 import Estimate, Event, GetHistoryResponse
from tests.support.command import milepost, terminal
from tests.support.rpc import eventually
from tests.support.scripted import Stream, scripted
from tests.support.server import ServerProcess
from tests.support.working import working


async def copy(job: JobContext) -> None:
    """Work in one stage."""
    async with job.stage("copy"):
        pass


async def test_a_history_by_every_surface(server: ServerProcess) -> None:
    """The clients and the command say the same of a kind; nothing of one that has not run, or of another owner."""
    async with Client(server.address) as client, working(server.address, copy=copy):
        for _ in range(2):
            job = await client.submit("copy", owner="ann")
            await client.result(job.job_id)
        history = await client.history("copy", "ann")
        assert (history.runs, [stage.stage_id for stage in history.stages]) == (2, ["copy"])
        assert await client.history("copy") == GetHistoryResponse()
        with pytest.raises(InvalidField):
            await client.history("not a kind")

    with SyncClient(server.address) as blocking:
        assert blocking.history("copy", owner="ann") == history
    said = await milepost("history", "copy", "--owner", "ann", "--output", "json", address=server.address)
    assert json.loads(said.out) == MessageToDict(history)
    lines = (await milepost("history", "copy", "--owner", "ann", address=server.address)).out.splitlines()
    assert lines[:2] == ["kind       copy", "runs       2"]
    nothing = await milepost("history", "copy", address=server.address)
    assert (nothing.status, nothing.out.splitlines()[1]) == (0, "runs       none that succeeded")
    assert nothing.err == "Each owner has a history of its own: --owner NAME shows it.\n"
    of_bob = await milepost("history", "copy", "--owner", "bob", address=server.address)
    assert (of_bob.out, of_bob.err) == (nothing.out, "")


async def test_who_follows_a_job_gets_a_new_estimate() -> None:
    """Also where no event comes with it; the same one again is no change, and that there is none any more is one."""

    async def run(stream: Stream) -> None:
        await stream.open(cursor=1, head=1)
        await stream.snapshot(1)
        for size in (3, 3, 4):
            await stream.status(1, Estimate(sample_size=size))
        await stream.status(1)
        await stream.events(2, end=True)

    async with scripted(run) as server, Client(server.address) as client:
        jobs = [job async for job in client.follow("j")]

    assert [(job.last_sequence, job.estimate.sample_size) for job in jobs] == [
        (1, 0),
        (1, 3),
        (1, 4),
        (1, 0),
        (2, 0),
    ]


async def test_a_watch_of_many_jobs_has_their_estimates(server: ServerProcess) -> None:
    """Of a job that starts while it is watched, until that ends."""
    end = asyncio.Event()

    async def slow(job: JobContext) -> None:
        await (end.wait() if job.input else asyncio.sleep(0.1))

    async with Client(server.address) as client, working(server.address, slow=slow):
        await client.result((await client.submit("slow", owner="estimated")).job_id)
        async with client.watch_jobs(owner="estimated", status_interval=1) as watch:
            folds: defaultdict[str, Fold] = defaultdict(Fold)

            async def read() -> None:
                async for item in watch:
                    if isinstance(item, Event):
                        folds[item.job_id].apply(item)

            reading = asyncio.create_task(read())
            waits = await client.submit("slow", {"wait": True}, owner="estimated")

            async def estimate() -> Estimate | None:
                return watch.estimate_of(folds[waits.job_id].job)

            async def has_ended() -> bool:
                return folds[waits.job_id].job.HasField("end_time")

            found: Estimate = await eventually(estimate)
            end.set()
            await eventually(has_ended)
            ended = await estimate()
            reading.cancel()

    assert (found.sample_size, ended) == (1, None)


async def test_the_live_table_has_estimates_of_jobs_that_start_later(server: ServerProcess) -> None:
    """The column is there once the second run has begun."""
    begin = asyncio.Event()

    async def slow(job: JobContext) -> None:
        """Take a second, and once more as long as the test likes."""
        await asyncio.sleep(1)
        if job.input:
            await begin.wait()

    async with Client(server.address) as client, working(server.address, slow=slow):
        await client.result((await client.submit("slow")).job_id)
        async with terminal("watch", "--kind", "slow", address=server.address, columns=120) as shown:
            await shown.shows(lambda text: "1 succeeded" in text)
            assert "LEFT" not in shown.text
            await client.submit("slow", {"wait": True})
            await shown.shows(lambda text: "LEFT" in text)
        begin.set()
