"""The queue of what a worker sends: when it polls its producers."""

from __future__ import annotations

import asyncio

from milepost.client._worker.send_queue import SendQueue
from milepost.v1 import WorkRequest


class Ticking:
    """A producer that is always due again, a little later, and counts its polls."""

    def __init__(self) -> None:
        self.polls = 0
        self.polled = asyncio.Event()

    def next_request(self, now: float) -> WorkRequest | None:
        """Nothing, now."""
        self.polls += 1
        self.polled.set()
        return None

    def due(self, now: float) -> float | None:
        """The next turn of the loop."""
        return 0.0


async def test_a_producer_waits_for_one_tick_however_often_it_is_scheduled() -> None:
    """Else each acknowledgement would add a timer, and each timer a poll."""
    queue, producer = SendQueue(), Ticking()
    for _ in range(10):
        queue.schedule(producer)
    sending = asyncio.create_task(queue.next())
    polls: list[int] = []
    for _ in range(4):
        producer.polled.clear()
        await producer.polled.wait()
        polls.append(producer.polls)
    sending.cancel()

    assert polls == [10, 11, 12, 13]
