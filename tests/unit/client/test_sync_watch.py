"""Interrupted waits of a synchronous watch, step by step, without a thread or a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import pytest

from milepost.client._watch.sync_watch import SyncWatch
from milepost.v1 import Event


class Loop:
    """An event loop in the place of its thread; while ``interrupted``, waits end as they begin."""

    def __init__(self) -> None:
        self.interrupted = True
        self._loop = asyncio.new_event_loop()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end, or leave it running and raise what Ctrl-C does."""
        task = self._loop.create_task(coroutine)
        if self.interrupted:
            self.step()
            raise KeyboardInterrupt
        return self._loop.run_until_complete(task)

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
