"""Starts, filters and gaps of the SDK's watches."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from milepost.client import Client, StateWatch
from milepost.client.errors import EpochChanged, InvalidField, SequenceTrimmed
from milepost.fold import Fold
from milepost.v1 import Event, Job, Retention, Stage, StageProgressed, StageStarted, Update
from tests.support.gateway import gateway
from tests.support.proxy import CuttableProxy
from tests.support.rpc import Rpc, connect, eventually, log_line, succeeded
from tests.support.server import ServerProcess


def started() -> Update:
    """The start of a stage."""
    return Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=100)))


def progressed(current: int) -> Update:
    """Progress of the stage."""
    return Update(stage_progressed=StageProgressed(stage_id="s", current=current))


async def done(rpc: Rpc, *updates: Update) -> Job:
    """Run a job with these updates to its end."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        await session.report(job.job_id, token, 1, *updates, succeeded())
        await session.acknowledged(len(updates) + 1)
    return job


async def test_with_the_job_as_it_stands(client: Client, rpc: Rpc) -> None:
    """A job, and the events after it: their fold is the server's job, also over a cut."""
    async with rpc.session() as session, gateway(client.address) as between:
        await rpc.submit()
        job, token = await session.take()
        await session.report(job.job_id, token, 1, started(), progressed(5))
        await session.acknowledged(2)
        between.frames = 1
        async with Client(between.address) as far, far.watch(job.job_id, snapshot=True) as watch:
            beginning = asyncio.create_task(anext(watch))

            async def is_cut() -> bool:
                return between.opened >= 2

            await eventually(is_cut)
            between.frames = 2
            first = await beginning
            assert isinstance(first, Job)
            assert (first.last_sequence, watch.cursor) == (4, 4)
            fold = Fold(first)
            await session.report(job.job_id, token, 3, *map(progressed, (6, 7)), succeeded())
            sequences = []
            async for item in watch:
                assert isinstance(item, Event)
                sequences.append(item.sequence)
                fold.apply(item)
    assert sequences == [5, 6, 7]
    assert (await client.get(job.job_id)).stages == fold.job.stages
    again = [item async for item in client.watch(job.job_id, snapshot=True)]
    assert [await client.get(job.job_id)] == again


async def test_with_what_happens_next(client: Client, rpc: Rpc) -> None:
    """Earlier events are not yielded; of an ended job nothing comes."""
    job = await rpc.submit()
    async with client.watch(job.job_id, latest=True) as watch:
        first = asyncio.create_task(anext(watch))

        async def is_connected() -> bool:
            return watch.caught_up

        await eventually(is_connected)
        await client.cancel(job.job_id)
        assert (await first).sequence == 2
        assert [event.sequence async for event in watch] == [3]
    assert [event async for event in client.watch(job.job_id, latest=True)] == []


async def test_only_some_events(client: Client, rpc: Rpc) -> None:
    """Filtered events advance the cursor; the end is detected although it is filtered; the watch resumes anywhere."""
    job = await done(rpc, started(), progressed(1), log_line("a"), progressed(2), log_line("b"))
    watch = client.watch(job.job_id, payloads=["log_written"])
    assert [event.sequence async for event in watch] == [5, 7]
    assert (watch.cursor, watch.reconnects) == (8, 0)
    for after in range(9):
        rest = client.watch(job.job_id, after=after, payloads=["log_written"])
        assert [s for s in (5, 7) if s > after] == [event.sequence async for event in rest]
    of_stage = client.watch(job.job_id, stages=["another"])
    assert [event.sequence async for event in of_stage] == [1, 2, 5, 7, 8]
    with pytest.raises(InvalidField):
        await anext(client.watch(job.job_id, payloads=["no_such_payload"]))
    with pytest.raises(TypeError):
        client.watch(job.job_id, payloads="log_written")
    with pytest.raises(ValueError, match="one way"):
        client.watch(job.job_id, after=1, snapshot=True)


async def test_only_the_latest_progress(client: Client, rpc: Rpc) -> None:
    """The newest progress, and all other events."""
    job = await done(rpc, started(), *map(progressed, range(1, 51)), log_line("a"))
    watch = client.watch(job.job_id, latest_progress=True)
    events = [event async for event in watch]
    assert [event.stage_progressed.current for event in events if event.HasField("stage_progressed")] == [
        50.0
    ]
    assert len(events) == 6
    folded = Fold()
    for event in events:
        folded.apply(event)
    assert (await client.get(job.job_id)).stages == folded.job.stages


async def test_a_hidden_stretch_is_not_looked_at_again(client: Client, rpc: Rpc) -> None:
    """A status has advanced the cursor past it."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        await session.report(job.job_id, token, 1, started(), *map(progressed, range(1, 10)))
        await session.acknowledged(10)
        with CuttableProxy(client.address) as proxy:
            async with (
                Client(proxy.address) as far,
                far.watch(job.job_id, payloads=["log_written"]) as watch,
            ):
                first = asyncio.create_task(anext(watch))

                async def is_past() -> bool:
                    return watch.cursor == 12

                await eventually(is_past)
                await asyncio.to_thread(proxy.cut)

                async def is_back() -> bool:
                    return watch.reconnects == 1

                await eventually(is_back)
                assert watch.connection.resumed_at == 12
                await session.report(job.job_id, token, 11, log_line("a"))
                assert (await first).sequence == 13


async def test_a_changed_epoch(client: Client, rpc: Rpc) -> None:
    """It raises, or continues with a snapshot."""
    job = await done(rpc, log_line("a"))
    with pytest.raises(EpochChanged):
        await anext(client.watch(job.job_id, after=1, epoch="another"))
    watch = client.watch(job.job_id, after=99, epoch="another", on_gap="snapshot")
    assert isinstance(watch, StateWatch)
    assert [await client.get(job.job_id)] == [item async for item in watch]
    assert (4, job.epoch) == (watch.cursor, watch.epoch)


async def test_a_log_that_is_trimmed_while_a_watch_is_away(tmp_path: Path) -> None:
    """The watch raises, or gets the job's state and goes on; `follow` hides it."""
    with ServerProcess(tmp_path / "data", "--sweep-interval", "0.05") as server:
        async with connect(server.address) as rpc, Client(server.address) as client, rpc.session() as session:
            await rpc.submit(retention=Retention(max_events=100))
            job, token = await session.take()
            with CuttableProxy(server.address) as proxy:
                async with (
                    Client(proxy.address) as far,
                    far.watch(job.job_id) as strict,
                    far.watch(job.job_id, on_gap="snapshot") as steady,
                ):
                    assert [(await anext(strict)).sequence for _ in range(2)] == [1, 2]
                    assert [getattr(await anext(steady), "sequence", 0) for _ in range(2)] == [1, 2]
                    following = far.follow(job.job_id)
                    assert (await anext(following)).last_sequence == 2
                    proxy.refuse()
                    await asyncio.to_thread(proxy.cut)
                    for batch in range(10):
                        await session.report(job.job_id, token, batch * 50 + 1, *[log_line("x")] * 50)
                        await session.acknowledged((batch + 1) * 50)

                    async def is_trimmed() -> bool:
                        return (await client.get(job.job_id)).first_sequence > 300

                    await eventually(is_trimmed)
                    proxy.allow()
                    with pytest.raises(SequenceTrimmed):
                        await anext(strict)
                    result = await anext(steady)
                    assert isinstance(result, Job)
                    assert result.last_sequence == 502
                    assert (await anext(following)).last_sequence == 502
                    await session.report(job.job_id, token, 501, succeeded())
                    assert [getattr(item, "sequence", 0) async for item in steady] == [503]
                    assert [current.last_sequence async for current in following] == [503]
