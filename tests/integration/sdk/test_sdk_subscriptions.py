"""Subscriptions: a changing set of watches; those that are left are cancelled at the server."""

from __future__ import annotations

import asyncio
import gc
import itertools
import uuid
from collections.abc import Awaitable, Callable

import pytest

from milepost.client import Client, Connection, Ended, Subscriptions, SyncClient
from milepost.client._watch.subscriptions import Subscribed
from milepost.client.errors import JobNotFound, SequenceAhead
from milepost.v1 import Event, Job
from tests.support.gateway import Gateway
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually
from tests.support.scripted import Stream, scripted
from tests.support.server import Server


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


async def test_a_client_that_is_closed_ends_its_subscriptions(shared_server: Server, kind: str) -> None:
    """The consumer gets the error; without one, asyncio has nothing to log."""
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with Client(shared_server.address) as client:
        job_id = (await client.submit(kind)).job_id
        subscriptions = client.subscriptions()
        subscriptions.add(job_id)
        await anext(subscriptions)
    (fetching,) = [task for task in asyncio.all_tasks() if "_Subscription._fetch" in repr(task)]
    await asyncio.wait((fetching,))
    del subscriptions, fetching
    gc.collect()
    await asyncio.sleep(0)

    assert errors == []


async def ended(subscriptions: Subscriptions, count: int) -> list[Subscribed]:
    """Read items until this many watches have ended."""
    items: list[Subscribed] = []
    while count:
        items.append(await anext(subscriptions))
        count -= isinstance(items[-1], Ended)
    return items


def sequences(items: list[Subscribed], job_id: str) -> list[int]:
    """The sequences of the events of a job."""
    return [item.sequence for item in items if isinstance(item, Event) and item.job_id == job_id]


def left(between: Gateway, count: int = 0) -> Callable[[], Awaitable[bool]]:
    """Whether this many streams are open at the server."""

    async def condition() -> bool:
        return between.open == count

    return condition


async def test_watches_come_and_go(client: Client, kind: str) -> None:
    """Added watches are yielded, discarded ones are not; the ends of watches are items."""
    first, second, third = [(await client.submit(kind)).job_id for _ in range(3)]
    async with client.subscriptions() as subscriptions:
        subscriptions.add(first)
        subscriptions.add(second, snapshot=True)
        begin = [await anext(subscriptions) for _ in range(2)]
        assert {(first, Event), (second, Job)} == {(item.job_id, type(item)) for item in begin}
        assert (subscriptions.cursor(first), subscriptions.cursor(second)) == (1, 1)
        with pytest.raises(ValueError, match="already"):
            subscriptions.add(first)
        waiting = asyncio.create_task(ended(subscriptions, 1))
        await asyncio.sleep(0)
        subscriptions.add(third, after=1)
        subscriptions.discard(first)
        subscriptions.discard("never added")
        for job_id in (first, second):
            await client.cancel(job_id)
        items = await waiting
        assert [second, second, Ended(second)] == [
            item if isinstance(item, Ended) else item.job_id for item in items
        ]
        assert [third] == list(subscriptions)
        subscriptions.add(second, after=2)
        await client.cancel(third)
        items = await ended(subscriptions, 2)
        assert (sequences(items, second), sequences(items, third)) == ([3], [2, 3])
        assert not subscriptions
    with pytest.raises(StopAsyncIteration):
        await anext(subscriptions)
    with pytest.raises(RuntimeError, match="closed"):
        subscriptions.add(first)


async def test_an_error_ends_only_its_own_watch(client: Client, kind: str) -> None:
    """The error is an item."""
    job = await client.submit(kind)
    async with client.subscriptions() as subscriptions:
        subscriptions.add("no-such-job")
        subscriptions.add(job.job_id)
        subscriptions.add((await client.submit(kind)).job_id, after=100)
        items = await ended(subscriptions, 2)
        errors = {type(item.error) for item in items if isinstance(item, Ended)}
        assert {JobNotFound, SequenceAhead} == errors
        assert [job.job_id] == list(subscriptions)
        await client.cancel(job.job_id)
        assert Ended(job.job_id) in await ended(subscriptions, 1)


async def test_a_callback_that_fails_ends_only_its_own_watch(client: Client, kind: str) -> None:
    """The consumer gets its error, once: nothing more comes of the job, and it may be added again."""
    failing, other = [(await client.submit(kind)).job_id for _ in range(2)]

    def fail(connection: Connection) -> None:
        raise ZeroDivisionError

    async with client.subscriptions() as subscriptions:
        subscriptions.add(failing, on_state=fail)
        with pytest.raises(ZeroDivisionError):
            await anext(subscriptions)
        assert not subscriptions
        for job_id in (failing, other):
            subscriptions.add(job_id)
        items = [await anext(subscriptions) for _ in range(2)]

    assert {item.job_id for item in items} == {failing, other}


async def test_subscriptions_survive_cuts(client: Client, kind: str) -> None:
    """All watches reconnect by themselves."""
    job_ids = [(await client.submit(kind)).job_id for _ in range(20)]
    with CuttableProxy(client.address) as proxy:
        async with Client(proxy.address) as far, far.subscriptions() as subscriptions:
            for job_id in job_ids:
                subscriptions.add(job_id)
            items = [await anext(subscriptions) for _ in job_ids]
            await asyncio.to_thread(proxy.cut)
            for job_id in job_ids:
                await client.cancel(job_id)
            items += await ended(subscriptions, len(job_ids))
    assert {job_id: [1, 2, 3] for job_id in job_ids} == {
        job_id: sequences(items, job_id) for job_id in job_ids
    }


async def test_jobs_take_turns_and_nothing_piles_up() -> None:
    """A busy job does not delay the others; and unread events are not fetched."""
    sent: dict[str, int] = {}

    async def chatty(stream: Stream) -> None:
        await stream.open()
        for first in itertools.count(1, 100):
            await stream.events(*range(first, first + 100))
            sent[stream.request.job_id] = first + 99

    async def calm(stream: Stream) -> None:
        if stream.request.job_id == "calm":
            await stream.open()
            await stream.events(1, 2, 3, end=True)
        else:
            await chatty(stream)

    async with (
        scripted(calm) as server,
        Client(server.address) as client,
        client.subscriptions() as subscriptions,
    ):
        subscriptions.add("chatty")
        subscriptions.add("other")

        async def have_some() -> bool:
            return all(member.has_more for member in subscriptions._subscriptions.values())

        await eventually(have_some)
        items = [await anext(subscriptions) for _ in range(100)]
        results = [sequences(items, job_id) for job_id in ("chatty", "other")]
        assert results == [[*range(1, 51)]] * 2
        subscriptions.add("calm")
        items = await ended(subscriptions, 1)
        assert sequences(items, "calm") == [1, 2, 3]
        held = [len(member._items) for member in subscriptions._subscriptions.values()]
        assert max(held) <= 100


async def test_what_is_left_is_cancelled_at_the_server(client: Client, between: Gateway, kind: str) -> None:
    """However the watch is left: discarded, closed, broken out of, cancelled or dropped."""
    job_ids = [(await client.submit(kind)).job_id for _ in range(2)]
    async with Client(between.address) as far:
        subscriptions = far.subscriptions()
        for job_id in job_ids:
            subscriptions.add(job_id)
        for _ in job_ids:
            await anext(subscriptions)
        await eventually(left(between, 2))
        subscriptions.discard(job_ids[0])
        await eventually(left(between, 1))
        await subscriptions.aclose()
        await eventually(left(between))

        async with far.watch_jobs(kinds=[kind]) as watch:
            await anext(watch)
            await eventually(left(between, 1))
        await eventually(left(between))

        async for _ in far.follow(job_ids[0]):
            break
        await eventually(left(between))

        waiting = asyncio.create_task(far.result(job_ids[0]))
        await eventually(left(between, 1))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await eventually(left(between))

        async for _ in far.watch_jobs(kinds=[kind]):
            break
        gc.collect()
        await eventually(left(between))

        dropped = far.subscriptions()
        dropped.add(job_ids[0])
        await anext(dropped)
        del dropped
        await eventually(left(between))


def test_the_same_without_asyncio(shared_server: Server, kind: str) -> None:
    """Watches of many jobs, state watches, and subscriptions."""
    with SyncClient(shared_server.address) as client:
        job_ids = [client.submit(kind).job_id for _ in range(2)]
        with client.watch_jobs(kinds=[kind], snapshot=True) as jobs:
            assert job_ids == [getattr(next(jobs), "job_id", "") for _ in job_ids]
            assert jobs.position is None
            client.cancel(job_ids[0])
            assert [getattr(next(jobs), "sequence", 0) for _ in range(2)] == [2, 3]
            position, epoch = jobs.position, jobs.epoch
        rest = client.watch_jobs(kinds=[kind], after=position, epoch=epoch, follow=False)
        assert list(rest) == []
        with client.watch(job_ids[1], snapshot=True, on_gap="snapshot") as watch:
            assert isinstance(next(watch), Job)
            client.cancel(job_ids[1])
            assert [item.sequence for item in watch if isinstance(item, Event)] == [2, 3]
            assert watch.cursor == 3
        with client.subscriptions() as subscriptions:
            for job_id in job_ids:
                subscriptions.add(job_id, after=2)
            items = []
            while subscriptions:
                items.append(next(subscriptions))
            assert len(items) == 4
            assert {Ended(job_id) for job_id in job_ids} == {i for i in items if isinstance(i, Ended)}


async def test_many_watches_of_one_client_come_back_apart(client: Client, kind: str) -> None:
    """The more were cut off at once, the more their reconnects are spread."""
    job = await client.submit(kind)
    states: list[Connection] = []
    with CuttableProxy(client.address) as proxy:
        async with Client(proxy.address) as far:
            watches = [far.watch(job.job_id, on_state=states.append) for _ in range(400)]
            await asyncio.gather(*[anext(watch) for watch in watches])
            proxy.refuse()
            waiting = [asyncio.create_task(anext(watch)) for watch in watches]
            await asyncio.sleep(0)
            await asyncio.to_thread(proxy.cut)
            first: dict[int, float] = {}

            async def all_lost() -> bool:
                return sum(state.fruitless == 1 for state in states) >= 400

            await eventually(all_lost)
            first = dict(enumerate(s.retry_in for s in states if s.fruitless == 1 and s.state != "live"))
            proxy.allow()
            await client.cancel(job.job_id)
            assert {(await task).sequence for task in waiting} == {2}
            assert [[event.sequence async for event in watch] for watch in watches] == [[3]] * 400
            assert all(watch.reconnects == 1 for watch in watches)
    assert 0.1 < max(first.values()) <= 0.4
