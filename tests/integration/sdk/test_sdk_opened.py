"""`opened` detects a watch that cannot start before its first item."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.client import Client, JobSnapshot, JobsWatch, StateWatch, SyncClient, Watch
from milepost.client.errors import (
    EpochChanged,
    JobNotFound,
    MilepostError,
    SequenceAhead,
    SequenceTrimmed,
    Unreachable,
)
from milepost.v1 import Event, Job, Retention
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually
from tests.support.scripted import Stream, scripted
from tests.support.server import Serve, Server


async def test_a_watch_that_has_opened_loses_nothing(client: Client) -> None:
    """Frames that came with the opening are among its items; a second call returns at once."""
    job_id = (await client.submit("k")).job_id
    async with client.watch(job_id, follow=False) as watch:
        await watch.opened()
        await watch.opened()
        assert (watch.connection.state, watch.cursor) == ("live", 0)
        events = [event async for event in watch]
    async with client.watch(job_id, snapshot=True) as states:
        await states.opened()
        snapshot = await anext(states)
    async with client.watch(job_id, latest=True) as latest:
        await latest.opened()
        cursor = latest.cursor
        await client.cancel(job_id)
        changes = [event.sequence async for event in latest]
    await latest.opened()

    assert [event.sequence for event in events] == [1]
    assert isinstance(snapshot, Job)
    assert (cursor, changes[:1]) == (1, [2])


async def test_a_watch_of_many_jobs_has_opened(client: Client) -> None:
    """Later events are in it."""
    async with client.watch_jobs(kinds=["opened-k"], latest=True) as watch:
        await watch.opened()
        job = await client.submit("opened-k")
        item = await anext(watch)

    assert isinstance(item, Event)
    assert item.job_id == job.job_id


async def test_why_a_watch_cannot_start(client: Client) -> None:
    """Missing job, cursor ahead, other epoch: the same error as the first item would raise."""
    job_id = (await client.submit("k")).job_id
    watches: list[tuple[type[MilepostError], Watch | StateWatch | JobsWatch]] = [
        (JobNotFound, client.watch("nowhere")),
        (JobNotFound, client.watch("nowhere", snapshot=True)),
        (SequenceAhead, client.watch(job_id, after=99)),
        (EpochChanged, client.watch(job_id, after=1, epoch="another")),
        (SequenceAhead, client.watch_jobs(after=2**60)),
        (EpochChanged, client.watch_jobs(after=1, epoch="another")),
    ]
    for error, watch in watches:
        with pytest.raises(error):
            await watch.opened()
        assert [item async for item in watch] == []


async def test_a_trimmed_log(tmp_path: Path, serve: Serve) -> None:
    """It raises, too, unless the watch accepts a snapshot."""
    with serve(tmp_path / "data", "--sweep-interval", "0.05") as server:
        async with Client(server.address) as client:
            job = await client.submit("k", retention=Retention(keep_events=Duration()))
            await client.cancel(job.job_id)

            async def is_trimmed() -> bool:
                return (await client.get(job.job_id)).first_sequence > 1

            await eventually(is_trimmed)
            with pytest.raises(SequenceTrimmed):
                await client.watch(job.job_id).opened()
            async with client.watch(job.job_id, on_gap="snapshot") as watch:
                await watch.opened()
                items = [type(item) async for item in watch]

    assert items == [Job]


async def test_it_waits_for_a_server_that_is_away(shared_server: Server) -> None:
    """For the client's timeout; a cancelled wait loses nothing."""
    with CuttableProxy(shared_server.address) as proxy:
        proxy.refuse()
        async with Client(proxy.address) as client:
            job = await _submitted(shared_server)
            watch = client.watch(job.job_id, follow=False)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(watch.opened(), 0.1)
            proxy.allow()
            await watch.opened()
            assert [event.sequence async for event in watch] == [1]
        proxy.refuse()
        async with Client(proxy.address, timeout=0.1) as hasty:
            with pytest.raises(Unreachable):
                await hasty.watch(job.job_id).opened()


def test_without_asyncio(shared_server: Server) -> None:
    """For one job and for many."""
    with SyncClient(shared_server.address) as client:
        job = client.submit("k")
        with client.watch(job.job_id, follow=False) as watch:
            watch.opened()
            assert [event.sequence for event in watch] == [1]
        with pytest.raises(JobNotFound):
            client.watch("nowhere").opened()
        with pytest.raises(SequenceAhead):
            client.watch_jobs(after=2**60).opened()
        with client.watch_jobs(kinds=["sync-opened"], latest=True) as jobs:
            jobs.opened()
            later = client.submit("sync-opened")
            item = next(jobs)
    assert isinstance(item, Event)
    assert item.job_id == later.job_id


async def _submitted(server: Server) -> JobSnapshot:
    async with Client(server.address) as client:
        return await client.submit("k")


async def test_a_watch_that_falls_back_has_opened_with_its_first_stream() -> None:
    """Before that it has neither epoch nor position, from which another watch could go on."""

    async def blocked(stream: Stream) -> None:
        await stream.fail(grpc.StatusCode.UNAVAILABLE)

    async def replay(stream: Stream) -> None:
        await stream.open(head=0)
        await stream.caught_up(0)

    async with (
        scripted(*[blocked] * 4, replay) as server,
        Client(server.address) as client,
        client.watch("j") as watch,
    ):
        await watch.opened()
        opened = watch.epoch, watch.connection.state

    assert opened == ("e", "polling")
