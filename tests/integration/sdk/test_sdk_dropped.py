"""Iterators of the blocking client that become garbage half-read, wherever the collector finds them."""

from __future__ import annotations

import asyncio
import gc
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from milepost.client import SyncClient
from tests.support.gateway import Gateway
from tests.support.rpc import eventually
from tests.support.server import Server


class Iterators:
    """Iterators over the jobs of one kind."""

    def __init__(self, client: SyncClient) -> None:
        self.client = client
        self.kind = f"test-{uuid.uuid4().hex}"
        self._job_ids = [client.submit(self.kind).job_id for _ in range(2)]

    def list(self) -> Iterator[Any]:
        """Page by page."""
        return self.client.list(kinds=[self.kind], page_size=1)

    def follow(self) -> Iterator[Any]:
        """The states of a job."""
        return self.client.follow(self._job_ids[0])

    def watch(self) -> Iterator[Any]:
        """The events of a job."""
        return self.client.watch(self._job_ids[0])

    def watch_jobs(self) -> Iterator[Any]:
        """The events of all."""
        return self.client.watch_jobs(kinds=[self.kind])

    def subscriptions(self) -> Iterator[Any]:
        """The events of each."""
        subscriptions = self.client.subscriptions()
        for job_id in self._job_ids:
            subscriptions.add(job_id)
        return subscriptions


NAMES = ["list", "follow", "watch", "watch_jobs", "subscriptions"]


@pytest.fixture
async def far(between: Gateway) -> AsyncIterator[SyncClient]:
    """A client whose open streams are counted."""
    client = SyncClient(between.address)
    yield client
    await asyncio.to_thread(client.close)


def drop(client: SyncClient, iterate: Callable[[], Iterator[Any]], may_go_on: threading.Event) -> None:
    """Begin to iterate, and have the collector find that within the client's lock, while its loop is busy."""
    busy = threading.Event()

    async def be_busy() -> None:
        busy.set()
        may_go_on.wait()

    cycle: list[object] = [iterate()]
    next(cycle[0])  # type: ignore[call-overload]
    cycle.append(cycle)
    client._loop_thread.start(be_busy())
    busy.wait()
    with client._loop_thread._lock:
        del cycle
        gc.collect()


@pytest.mark.parametrize("name", NAMES)
async def test_a_finalizer_waits_for_nothing(
    between: Gateway, far: SyncClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop ends the stream at the server, once it can."""
    iterators, may_go_on = await asyncio.to_thread(Iterators, far), threading.Event()
    dropping = threading.Thread(target=drop, args=(far, getattr(iterators, name), may_go_on), daemon=True)
    dropping.start()

    async def is_dropped() -> bool:
        return not dropping.is_alive()

    async def is_left() -> bool:
        return between.open == 0

    try:
        await eventually(is_dropped)
    finally:
        may_go_on.set()
        far._loop_thread._lock = threading.Lock()  # a finalizer that waits would hold it for good
    await eventually(is_left)
    gc.collect()

    assert between.opened or name == "list"
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize("name", NAMES)
def test_closing_waits(shared_server: Server, name: str) -> None:
    """Once `close` returns, no call of the iterator is in progress, and it yields nothing more."""
    with SyncClient(shared_server.address) as client:
        iterating: Any = getattr(Iterators(client), name)()
        next(iterating)
        iterating.close()
        connections = client._client._channel._connections

        assert [connection.is_idle for connection in connections] == [True]
        assert list(iterating) == []


def test_an_iteration_that_was_interrupted_is_over(
    shared_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Ctrl-C while it waits, as that of a generator."""
    with SyncClient(shared_server.address) as client:
        states = Iterators(client).follow()
        next(states)

        def interrupt(coroutine: Any) -> None:
            coroutine.close()
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(client._loop_thread, "run", interrupt)
            with pytest.raises(KeyboardInterrupt):
                next(states)

        assert list(states) == []
