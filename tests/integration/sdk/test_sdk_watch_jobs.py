"""Watches of many jobs: everything once, through all faults."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from pathlib import Path

import pytest

from milepost.client import Client, Connection, Gap, JobContext, JobsWatch
from milepost.client._watch.jobs_cursor import Item
from milepost.client.errors import EpochChanged, SequenceTrimmed
from milepost.fold import Fold
from milepost.v1 import Deleted, Event, Job, JobState
from tests.support.gateway import gateway
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually
from tests.support.server import Serve
from tests.support.working import working


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


async def upto(watch: JobsWatch, count: int) -> list[Item]:
    """Read this many items."""
    return [await anext(watch) for _ in range(count)]


async def queued(client: Client, kind: str, count: int) -> list[str]:
    """Queued jobs without a worker."""
    return [(await client.submit(kind)).job_id for _ in range(count)]


def sequences(items: list[Item]) -> dict[str, list[int]]:
    """The sequences of the events by job."""
    texts: dict[str, list[int]] = defaultdict(list)
    for item in items:
        if isinstance(item, Event):
            texts[item.job_id].append(item.sequence)
    return texts


async def test_all_events_come_once_over_cuts(client: Client, kind: str) -> None:
    """Through repeated cuts under load each job's log is complete and in order."""
    cut = asyncio.Semaphore(0)

    async def handler(job: JobContext) -> None:
        for number in range(20):
            job.emit("step", {"number": number})
            await asyncio.sleep(0)
        await cut.acquire()  # so that there is something left to reconnect for

    states: list[Connection] = []
    items: list[Item] = []
    with CuttableProxy(client.address) as proxy:
        async with (
            working(client.address, max_concurrency=4, **{kind: handler}),
            Client(proxy.address) as far,
            far.watch_jobs(kinds=[kind], latest=True, on_state=states.append) as watch,
        ):
            following = asyncio.create_task(_ended(watch, items, 12))
            await eventually(lambda: _is(watch.caught_up))
            jobs = []
            for cuts in range(1, 13):
                jobs.append(await client.submit(kind))
                await asyncio.to_thread(proxy.cut)
                await eventually(lambda: _is(watch.reconnects >= cuts))  # noqa: B023
                cut.release()
            await following
    assert {job.job_id: list(range(1, 24)) for job in jobs} == sequences(items)
    assert watch.reconnects >= 12
    assert states[-1].state == "live"


async def _is(condition: bool) -> bool:
    """A condition for `eventually`."""
    return condition


async def _ended(watch: JobsWatch, items: list[Item], count: int) -> None:
    """Read items until this many jobs have ended."""
    async for item in watch:
        items.append(item)
        count -= isinstance(item, Event) and item.HasField("job_ended")
        if not count:
            return
    raise AssertionError(f"the watch ended before {count} jobs did")


async def test_snapshots_then_events(client: Client, kind: str) -> None:
    """It begins with all current jobs; their fold with the events is the server's state."""
    job_ids = await queued(client, kind, 3)
    async with client.watch_jobs(kinds=[kind], snapshot=True) as watch:
        board = {item.job_id: Fold(item) for item in await upto(watch, 3) if isinstance(item, Job)}
        assert set(job_ids) == set(board)
        for job_id in job_ids:
            await client.cancel(job_id)
        for item in await upto(watch, 6):
            assert isinstance(item, Event)
            board[item.job_id].apply(item)
        for job_id in job_ids:
            job = await client.get(job_id)
            assert (job.state, job.last_sequence) == (
                board[job_id].job.state,
                board[job_id].job.last_sequence,
            )
        await client.delete(job_ids[0])
        gone = await anext(watch)
        assert isinstance(gone, Deleted)
        assert (job_ids[0], gone.position) == (gone.job_id, watch.position)


async def test_a_stream_that_breaks_among_its_snapshots(client: Client, kind: str) -> None:
    """The watch lists again: it yields no event twice, and reports jobs that were deleted meanwhile."""
    job_ids = await queued(client, kind, 6)
    async with gateway(client.address) as between, Client(between.address) as far:
        between.frames = 4  # opened, and three of the six
        async with far.watch_jobs(kinds=[kind], snapshot=True) as watch:
            first = await upto(watch, 3)
            assert watch.position is None
            await client.cancel(job_ids[0])
            await client.cancel(job_ids[1])
            await client.delete(job_ids[1])
            between.frames = None
            rest = await upto(watch, 5)
            assert watch.position is not None
    assert job_ids[:3] == [item.job_id for item in first if isinstance(item, Job)]
    changed = {item.job_id: item for item in rest if not isinstance(item, Gap)}
    assert set(changed) == {*job_ids} - {job_ids[2]}
    assert getattr(changed[job_ids[0]], "last_sequence", 0) == 3
    assert isinstance(changed[job_ids[1]], Deleted)


async def test_a_job_that_ceases_to_match_between_two_lists(client: Client, kind: str) -> None:
    """Its current state is yielded, since otherwise the change would be missed."""
    job_ids = await queued(client, kind, 3)
    async with gateway(client.address) as between, Client(between.address) as far:
        between.frames = 3
        async with far.watch_jobs(kinds=[kind], states=[JobState.JOB_STATE_QUEUED], snapshot=True) as watch:
            await upto(watch, 2)
            await client.cancel(job_ids[0])
            between.frames = None
            third, moved = await upto(watch, 2)
    assert job_ids[2] == getattr(third, "job_id", "")
    assert isinstance(moved, Job)
    assert (job_ids[0], JobState.JOB_STATE_CANCELLED) == (moved.job_id, moved.state)


async def test_cut_off_after_each_frame(client: Client, kind: str) -> None:
    """However often it breaks, with newly matching jobs, nothing is doubled or missing."""

    async def handler(job: JobContext) -> None:
        for number in range(5):
            job.emit("step", {"number": number})
            await asyncio.sleep(0.005)

    async with gateway(client.address) as between, Client(between.address) as far:
        between.frames = 3
        states = [JobState.JOB_STATE_RUNNING]
        now = client.watch_jobs(kinds=[kind], latest=True, follow=False)
        assert [item async for item in now] == []
        start, epoch = now.position, now.epoch
        shown: dict[str, Fold] = {}
        async with (
            working(client.address, max_concurrency=3, **{kind: handler}),
            far.watch_jobs(kinds=[kind], states=states, after=start, epoch=epoch) as watch,
        ):
            for _ in range(6):
                await client.submit(kind)
            ended = 0
            async for item in watch:
                if isinstance(item, Job):
                    assert (
                        item.job_id not in shown or shown[item.job_id].job.last_sequence < item.last_sequence
                    )
                    shown[item.job_id] = Fold(item)
                elif isinstance(item, Event):
                    assert item.sequence == shown[item.job_id].job.last_sequence + 1
                    shown[item.job_id].apply(item)
                if isinstance(item, Job | Event):
                    job = shown[item.job_id].job
                    ended += job.state == JobState.JOB_STATE_SUCCEEDED
                if ended == 6:
                    break
            assert watch.reconnects > 0
    assert [fold.job.last_sequence for fold in shown.values()] == [8] * 6


async def test_positions_are_for_other_watches(client: Client, kind: str) -> None:
    """A watch continues at another one's position; filtered events advance it."""
    job_ids = await queued(client, kind, 2)
    async with client.watch_jobs(kinds=[kind], follow=False, latest=True) as watch:
        assert [item async for item in watch] == []
        position, epoch = watch.position, watch.epoch
    for job_id in job_ids:
        await client.cancel(job_id)
    watch = client.watch_jobs(kinds=[kind], after=position, epoch=epoch, follow=False)
    assert {job_id: [2, 3] for job_id in job_ids} == sequences([item async for item in watch])
    hidden = client.watch_jobs(
        kinds=[kind], after=position, epoch=epoch, follow=False, payloads=["log_written"]
    )
    assert [item async for item in hidden] == []
    assert (hidden.position or 0) >= (watch.position or 0) > (position or 0)


async def test_gaps(tmp_path: Path, serve: Serve) -> None:
    """A position that cannot be continued raises, or the watch continues with snapshots of all jobs."""
    with serve(tmp_path / "data") as server, CuttableProxy(server.address) as proxy:
        async with Client(server.address) as client, Client(proxy.address) as far:
            first, second = await queued(client, "test", 2)
            with pytest.raises(EpochChanged):
                await anext(client.watch_jobs(after=1, epoch="another"))
            async with (
                far.watch_jobs(on_gap="snapshot") as steady,
                far.watch_jobs() as strict,
            ):
                await upto(steady, 2)
                await upto(strict, 2)
                proxy.refuse()
                await asyncio.to_thread(proxy.cut)
                await client.cancel(first)
                await client.delete(first)
                proxy.allow()
                gap, result = await upto(steady, 2)
                assert isinstance(gap, Gap)
                assert isinstance(gap.error, SequenceTrimmed)
                assert second == getattr(result, "job_id", "")
                assert isinstance(result, Job)
                with pytest.raises(SequenceTrimmed):
                    await anext(strict)
                await client.cancel(second)
                assert [getattr(item, "sequence", 0) for item in await upto(steady, 2)] == [2, 3]


async def test_all_that_is_kept_over_cuts(tmp_path: Path, serve: Serve) -> None:
    """After drops there is no earlier position to resume at; still nothing is doubled."""
    with serve(tmp_path / "data") as server:
        async with Client(server.address) as client:
            job_ids = await queued(client, "test", 4)
            gone = await client.submit("test")
            await client.cancel(gone.job_id)
            await client.delete(gone.job_id)
            async with gateway(server.address) as between, Client(between.address) as far:
                for frames in (2, 3, 4):
                    between.frames = frames
                    watch = far.watch_jobs(follow=False)
                    items = [await anext(watch)]
                    between.frames = None
                    items += [item async for item in watch]
                    assert {job_id: [1] for job_id in job_ids} == sequences(items)
                    assert [gone.job_id] == [item.job_id for item in items if isinstance(item, Deleted)]
                    assert len(items) == 5
                    assert watch.reconnects == 1
