"""Tokens that expire or are revoked while a client uses them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from milepost.client import Client, Ended, JobContext, SyncClient, Worker
from milepost.client._transport import token_source
from milepost.client.errors import PermissionDenied, TokenExpired, TokenUnavailable, Unauthenticated
from milepost.server.access.credentials import tokens
from milepost.v1 import Dispatch, Event
from tests.support.rotating import Rotation, collect, loaded, unknown, until
from tests.support.rpc import eventually, state_name
from tests.support.server import Server
from tests.support.token_files import Tokens


@pytest.mark.parametrize(
    ("workers", "jobs", "watchers", "rounds"),
    [(1, 4, 1, 3), pytest.param(8, 1, 6, 50, marks=[pytest.mark.nightly, pytest.mark.timeout(600)])],
    ids=["few", "many"],
)
async def test_workers_under_load_lose_nothing(
    server: Server,
    known: Tokens,
    rotation: Rotation,
    observer: Client,
    workers: int,
    jobs: int,
    watchers: int,
    rounds: int,
) -> None:
    """Their token is replaced again and again: they keep their leases, and each report is in the log once.

    The token of a watch, of a feed and of a follower is replaced as often: each sees every event once.
    """
    readers = Rotation(known, "reader", "read")
    await loaded(server, readers.current)
    written: dict[str, int] = {}
    stopping = asyncio.Event()

    async def write(job: JobContext) -> None:
        while not stopping.is_set():
            job.log(str(written.get(job.id, 0)))
            written[job.id] = written.get(job.id, 0) + 1
            await asyncio.sleep(0.002 * workers)

    made = [Worker(server.address, token=rotation, max_concurrency=jobs) for _ in range(workers)]
    for worker in made:
        worker.job("write")(write)
    submitted = [(await observer.submit("write")).job_id for _ in range(workers * jobs)]
    running = [asyncio.create_task(worker.run()) for worker in made]
    async with Client(server.address, token=readers) as client:
        watches = [client.watch(job_id) for job_id in submitted * watchers]
        feed = client.watch_jobs(kinds=["write"])
        seen = [asyncio.create_task(collect(watch)) for watch in watches]
        fed = asyncio.create_task(collect(feed, ends=len(submitted)))
        result = asyncio.create_task(client.result(submitted[0]))
        await until(lambda: len(written) == len(submitted))
        for _ in range(rounds):
            await replace(rotation, readers, workers, [*watches, feed])
            await reported(observer, submitted)
        stopping.set()
        histories = [await watching for watching in seen]
        assert await result == {}
        by_job: dict[str, list[Event]] = {job_id: [] for job_id in submitted}
        for event in await fed:
            by_job[event.job_id].append(event)
    for worker in made:
        worker.stop()
    await asyncio.gather(*running)
    for job_id, history in zip(submitted * watchers, histories, strict=True):
        assert [event.sequence for event in history] == [*range(1, len(history) + 1)]
        lines = [event.log_written.text for event in history if event.HasField("log_written")]
        assert lines == [str(number) for number in range(written[job_id])]
        assert history[-1].HasField("job_ended")
        assert by_job[job_id] == history
        job = await observer.get(job_id)
        assert (state_name(job), job.attempt) == ("SUCCEEDED", 1)
    # All streams of a client share a request.
    assert (readers.calls, rotation.calls) == (rounds + 1, workers * (rounds + 1))


async def replace(rotation: Rotation, readers: Rotation, workers: int, watches: list[Any]) -> None:
    """Replace both tokens, and wait until each worker has another one and each watch goes on with it."""
    calls, reconnects = rotation.calls, [watch.reconnects for watch in watches]
    rotation.next()
    readers.next()
    await until(lambda: rotation.calls == calls + workers)
    await until(
        lambda: all(watch.reconnects > before for watch, before in zip(watches, reconnects, strict=True))
    )


async def reported(observer: Client, job_ids: list[str]) -> None:
    """Wait for further events of each job: for its worker's session with the new token.

    A token that is replaced before its session has begun is refused, and two in a row end a worker.
    """
    before = {job_id: (await observer.get(job_id)).last_sequence for job_id in job_ids}

    async def is_reported() -> bool:
        return all([(await observer.get(job_id)).last_sequence > before[job_id] for job_id in job_ids])

    await eventually(is_reported)


async def test_calls_are_repeated(server: Server, rotation: Rotation) -> None:
    """With another token, once; concurrent ones share a request for it."""
    await loaded(server, rotation.current)
    async with Client(server.address, token=rotation) as client:
        first = (await client.whoami()).credential_id
        old = rotation.current
        rotation.next()
        await unknown(server, old)
        assert {
            found.credential_id for found in await asyncio.gather(*(client.whoami() for _ in range(20)))
        } == {"client-2"}
    assert (first, rotation.calls) == ("client-1", 2)


async def test_a_token_file_is_read_again(
    server: Server, rotation: Rotation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the server refuses its token; without asyncio, too."""
    path = tmp_path / "token"
    path.write_text(f"{rotation.current}\n")
    monkeypatch.setenv("MILEPOST_TOKEN_FILE", str(path))
    await loaded(server, rotation.current)
    old = rotation.current
    async with Client(server.address) as client:
        await client.whoami()
        rotation.next()
        path.write_text(f"{rotation.current}\n")
        await unknown(server, old)
        assert (await client.whoami()).credential_id == "client-2"
    with SyncClient(server.address) as sync:
        assert (await asyncio.to_thread(sync.whoami)).credential_id == "client-2"


async def test_a_token_file_that_is_replaced_in_place(
    server: Server, rotation: Rotation, observer: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it has a part of a token nothing is sent; a worker waits for the rest, and keeps its lease and reports."""
    monkeypatch.setattr(token_source, "SETTLE_TIME", 0.01)
    path = tmp_path / "token"
    path.write_text(rotation.current)
    monkeypatch.setenv("MILEPOST_TOKEN_FILE", str(path))
    await loaded(server, rotation.current)
    go_on, worker = asyncio.Event(), Worker(server.address)

    @worker.job("write")
    async def write(job: JobContext) -> None:
        job.log("before")
        await go_on.wait()
        job.log("after")

    running = asyncio.create_task(worker.run())
    job_id = (await observer.submit("write")).job_id

    async def is_running() -> bool:
        return state_name(await observer.get(job_id)) == "RUNNING"

    async def is_away() -> bool:
        return not [each async for each in observer.workers()]

    await eventually(is_running)
    old = rotation.current
    async with Client(server.address) as client:
        assert (await client.whoami()).credential_id == "client-1"
        rotation.next()
        path.write_text(rotation.current[:30])
        await unknown(server, old)
        await eventually(is_away)
        for part in (rotation.current[:30], ""):
            path.write_text(part)
            with pytest.raises(TokenUnavailable):
                await client.whoami()
        go_on.set()
        path.write_text(rotation.current)
        assert (await client.whoami()).credential_id == "client-2"
    assert await observer.result(job_id) == {}
    worker.stop()
    await running
    async with observer.watch(job_id) as watch:
        lines = [event.log_written.text async for event in watch if event.HasField("log_written")]
    assert (lines, (await observer.get(job_id)).attempt) == (["before", "after"], 1)


async def test_subscriptions_go_on(server: Server, rotation: Rotation, observer: Client) -> None:
    """Each of them resumes at its cursor."""
    await loaded(server, rotation.current)
    jobs = [(await observer.submit("k", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id for _ in range(3)]
    async with Client(server.address, token=rotation) as client, client.subscriptions() as subscriptions:
        for job_id in jobs:
            subscriptions.add(job_id)
        for _ in jobs:
            await anext(subscriptions)
        rotation.next()
        await until(lambda: rotation.calls == 2)
        for job_id in jobs:
            await observer.cancel(job_id)
        found: list[Any] = []
        while subscriptions:
            found.append(await anext(subscriptions))
    assert {item.job_id: item.error for item in found if isinstance(item, Ended)} == dict.fromkeys(jobs)
    for job_id in jobs:
        sequences = [item.sequence for item in found if isinstance(item, Event) and item.job_id == job_id]
        assert sequences == [*range(2, len(sequences) + 2)]


async def test_without_another_token(
    server: Server, rotation: Rotation, observer: Client, tmp_path: Path
) -> None:
    """Calls, watches, workers and blocks end with `TokenExpired` at once; a block is interrupted, its reports kept."""
    await loaded(server, rotation.current)
    job = await observer.submit("k", dispatch=Dispatch.DISPATCH_EXTERNAL)
    worker = Worker(server.address, token=rotation.current)
    worker.job("other")(lambda job: None)
    interrupted = []

    async def block(client: Client) -> None:
        async with client.attach(job.job_id, spool=tmp_path / "spool", flush_timeout=0.1) as attached:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                interrupted.append(attached.id)
                raise

    async with Client(server.address, token=rotation.current) as client:
        ending = [
            asyncio.create_task(worker.run()),
            asyncio.create_task(collect(client.watch(job.job_id))),
            asyncio.create_task(collect(client.watch_jobs())),
            asyncio.create_task(client.result(job.job_id)),
            asyncio.create_task(block(client)),
        ]

        async def is_working() -> bool:
            taken = state_name(await observer.get(job.job_id)) == "RUNNING"
            return taken and len([worker async for worker in observer.workers()]) == 2

        await eventually(is_working)
        rotation.revoke()
        outcomes = await asyncio.gather(*ending, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [TokenExpired] * len(ending)
        assert interrupted == [job.job_id]
        with pytest.raises(Unauthenticated):
            await client.whoami()


@pytest.mark.parametrize(
    ("scopes", "token", "error"),
    [
        ((), None, PermissionDenied),
        ((), tokens.new_token(), Unauthenticated),
        ((), "garbage", Unauthenticated),
    ],
    ids=["no scope", "unknown", "garbage"],
)
async def test_what_the_server_refuses(
    server: Server, known: Tokens, scopes: tuple[str, ...], token: str | None, error: type[Exception]
) -> None:
    """A token without the scope, and one that the server does not know, end watches, workers and blocks at once."""
    given = known.add("powerless", ["*"], *scopes)
    await loaded(server, given)
    token = token or given
    worker = Worker(server.address, token=lambda: token)
    worker.job("k")(lambda job: None)
    async with Client(server.address, token=lambda: token) as client:

        async def block() -> None:
            async with client.attach("j"):
                pass

        for call in (worker.run, lambda: collect(client.watch("j")), lambda: client.result("j")):
            with pytest.raises(error):
                await call()
        # The first message of a session races with its refusal.
        for _ in range(20):
            with pytest.raises(error):
                await block()


async def test_a_callable_that_fails(server: Server, rotation: Rotation, observer: Client) -> None:
    """A call fails with what it raised; a watch and a worker retry, and go on once it returns a token again."""
    await loaded(server, rotation.current)
    job = await observer.submit("k", dispatch=Dispatch.DISPATCH_EXTERNAL)
    worker = Worker(server.address, token=rotation)
    worker.job("other")(lambda job: None)
    running = asyncio.create_task(worker.run())
    async with Client(server.address, token=rotation) as client:
        states: list[str] = []
        watch = client.watch(job.job_id, on_state=lambda connection: states.append(connection.error))
        seen = asyncio.create_task(collect(watch))
        await until(lambda: watch.caught_up)
        rotation.failing = True
        rotation.next()
        failure = "No token could be obtained: ConnectionError: no network."
        await until(lambda: states.count(failure) > 1)
        with pytest.raises(TokenUnavailable) as raised:
            await client.whoami()
        assert str(raised.value) == failure
        rotation.failing = False
        await observer.submit("other", job_id="other")
        assert await observer.result("other") == {}
        await observer.cancel(job.job_id)
        history = await seen
    assert [event.sequence for event in history] == [*range(1, len(history) + 1)]
    worker.stop()
    await running


async def test_a_callable_that_always_fails(server: Server) -> None:
    """A watch that has never been open gives up after the timeout of its client."""

    def fail() -> str:
        raise ConnectionError("no network")

    async with Client(server.address, token=fail, timeout=0.3) as client:
        with pytest.raises(TokenUnavailable, match="ConnectionError: no network"):
            await collect(client.watch("j"))
