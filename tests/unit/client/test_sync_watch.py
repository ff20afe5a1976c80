"""What comes between the waits of a synchronous watch, step by step, without a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._watch.job_watch import Watch
from milepost.client._watch.subscriptions import Subscriptions
from milepost.client._watch.sync_watch import SyncSubscriptions, SyncWatch
from milepost.v1 import Event


class Loop:
    """An event loop in the place of its thread; while ``interrupted``, waits end as they begin.

    ``before_waking`` is called when the next wait is over, before its caller goes on.
    """

    def __init__(self) -> None:
        self.interrupted = True
        self.before_waking: Callable[[], object] = lambda: None
        self._loop = asyncio.new_event_loop()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end, or leave it running and raise what Ctrl-C does."""
        task = self._loop.create_task(coroutine)
        if self.interrupted:
            self.step()
            raise KeyboardInterrupt
        result = self._loop.run_until_complete(task)
        before_waking, self.before_waking = self.before_waking, lambda: None
        before_waking()
        return result

    def refuse_own_thread(self) -> None:
        """There is none."""

    def step(self, until: Callable[[], object] = lambda: True) -> None:
        """Run what is ready once, and again until this is so."""
        while True:
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()
            if until():
                return

    def close(self) -> None:
        """Close the loop."""
        self._loop.close()


class Stream:
    """A stream of events in batches; the first one comes once it is ``open``."""

    def __init__(self, *batches: Sequence[int]) -> None:
        self.open = asyncio.Event()
        self.cursor = 0
        self.epoch = ""
        self._batches = list(batches)

    async def batch(self) -> Sequence[Event]:
        """The next batch."""
        await self.open.wait()
        if not self._batches:
            return ()
        sequences = self._batches.pop(0)
        self.cursor, self.epoch = sequences[-1], f"epoch {sequences[-1]}"
        return [Event(sequence=sequence) for sequence in sequences]

    async def aclose(self) -> None:
        """End it."""


@pytest.fixture
def loop() -> Iterator[Loop]:
    """An event loop whose waits are interrupted."""
    made = Loop()
    yield made
    made.close()


def test_a_wait_that_goes_on_beside_the_iteration(loop: Loop) -> None:
    """Of two waits that were interrupted, the second reads on as the batch of the first is yielded: the cursor and its
    epoch are those of what was yielded.
    """
    stream: Any = Stream([1, 2], [3])
    watch = SyncWatch(stream, loop)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            next(watch)
    loop.interrupted = False
    stream.open.set()
    loop.step(until=lambda: watch._fetched)
    places = [(next(watch).sequence, watch.cursor, watch.epoch)]
    loop.step(until=lambda: stream.cursor == 3)
    places += [(event.sequence, watch.cursor, watch.epoch) for event in watch]

    assert places == [(1, 1, "epoch 2"), (2, 2, "epoch 2"), (3, 3, "epoch 3")]


class JobStream(Stream):
    """The stream of a job among others."""

    def __init__(self, job_id: str, *batches: Sequence[int]) -> None:
        super().__init__(*batches)
        self.job_id = job_id

    async def batch(self) -> Sequence[Event]:
        """The next batch."""
        return [Event(job_id=self.job_id, sequence=event.sequence) for event in await super().batch()]

    async def __aenter__(self) -> JobStream:
        return self

    async def __aexit__(self, *error: object) -> None: ...


def subscribed(loop: Loop | EventLoopThread, *streams: JobStream) -> SyncSubscriptions:
    """Subscriptions to these jobs."""
    opened: Any = {stream.job_id: stream for stream in streams}

    def open_watch(job_id: str, **_: object) -> Watch:
        watch: Watch = opened[job_id]
        return watch

    subscriptions = SyncSubscriptions(Subscriptions(open_watch), loop)  # type: ignore[arg-type]
    for stream in streams:
        subscriptions.add(stream.job_id)
    return subscriptions


def test_a_job_that_is_discarded_as_its_event_comes(loop: Loop) -> None:
    """By another thread, before the one that iterates goes on: that waits for the next event, of another job."""
    loop.interrupted = False
    discarded, kept = JobStream("discarded", [1]), JobStream("kept", [1])
    subscriptions = subscribed(loop, discarded, kept)

    def discard() -> None:
        subscriptions.discard("discarded")
        kept.open.set()

    discarded.open.set()
    loop.before_waking = discard

    with subscriptions:
        assert (next(subscriptions).job_id, len(subscriptions)) == ("kept", 1)


class Noted(EventLoopThread):
    """Notes that something was ``asked`` of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Start it, and note that."""
        future = super().start(coroutine)
        self.asked.set()
        return future


async def opening(stream: Stream) -> None:
    """Open it, in the loop."""
    stream.open.set()


def test_a_cursor_is_not_past_events_that_are_just_being_received() -> None:
    """Whoever asks in another thread gets that of the last event before them."""
    accepted, go_on = threading.Event(), threading.Event()

    class Accepting(JobStream):
        async def batch(self) -> Sequence[Event]:
            events = await super().batch()  # now the watch is past them
            accepted.set()
            go_on.wait()
            return events

    background = Noted()
    stream = Accepting("j", [1, 2])
    subscriptions = subscribed(background, stream)
    background.start(opening(stream))
    accepted.wait()
    background.asked.clear()
    with ThreadPoolExecutor() as threads:
        cursor = threads.submit(subscriptions.cursor, "j")
        cursor.add_done_callback(lambda _: background.asked.set())
        background.asked.wait()
        go_on.set()
    background.close()

    assert cursor.result() == 0


def test_a_callback_may_ask_for_a_cursor() -> None:
    """In the thread of the loop, which does not wait for itself then."""
    background = EventLoopThread()
    subscriptions = subscribed(background, JobStream("j", [1]))

    async def callback() -> int:
        return subscriptions.cursor("j")

    cursor = background.start(callback()).result(timeout=120)
    background.close()

    assert cursor == 0


def test_a_callback_cannot_close_what_its_thread_reads() -> None:
    """It is told so, and nothing is lost: neither the rest of a batch nor an item that has just come."""
    background = EventLoopThread()
    one: Any = Stream([1, 2, 3, 4, 5])
    one.open.set()
    stream = JobStream("j", [1, 2])
    stream.open.set()
    watch = SyncWatch(one, background)
    subscriptions = subscribed(background, stream)
    got: list[Any] = [next(watch), next(watch)]
    refused: list[str] = []

    async def callback() -> None:
        for closed in (watch, subscriptions):
            await subscriptions._fetch()
            try:
                closed.close()
            except RuntimeError as error:
                refused.append(str(error)[:35])

    background.run(callback())
    got += [*watch, next(subscriptions), next(subscriptions)]
    background.close()

    assert refused == ["A blocking call came from the clien"] * 2
    assert [event.sequence for event in got] == [1, 2, 3, 4, 5, 1, 2]
