"""The queue of responses to a worker: ordered, coalesced, bounded, and closed in the end."""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress

import pytest

from milepost.server.dispatch.worker_session import ResponseQueue
from milepost.server.messages.job_encoding import JobResponse
from milepost.v1 import Acknowledged, Drain, Rejected, WorkResponse


def acknowledged(job_id: str, report_sequence: int) -> WorkResponse:
    """An acknowledgement."""
    return WorkResponse(acknowledged=Acknowledged(job_id=job_id, report_sequence=report_sequence))


DRAIN = WorkResponse(drain=Drain())


async def said(queue: ResponseQueue) -> list[WorkResponse | JobResponse]:
    """All responses until the end."""
    responses: list[WorkResponse | JobResponse] = []
    while (response := await queue.get()) is not None:
        responses.append(response)
    return responses


async def test_responses_are_sent_in_order() -> None:
    """Responses of different kinds are all sent."""
    queue = ResponseQueue()
    sent = [acknowledged("j", 1), DRAIN, acknowledged("k", 1), acknowledged("j", 2), DRAIN, DRAIN]
    for response in sent:
        queue.put(response)
    queue.close()

    assert sent == await said(queue)


async def test_of_consecutive_acknowledgements_only_the_last_is_sent() -> None:
    """Rule 12: they are cumulative, for each job."""
    queue = ResponseQueue()
    for response in (
        acknowledged("j", 1),
        acknowledged("j", 2),
        acknowledged("j", 5),
        acknowledged("k", 1),
        acknowledged("j", 6),
        DRAIN,
        acknowledged("j", 7),
        acknowledged("j", 8),
    ):
        queue.put(response)
    queue.close()

    expected = [acknowledged("j", 5), acknowledged("k", 1), acknowledged("j", 6), DRAIN, acknowledged("j", 8)]
    assert await said(queue) == expected


async def test_one_who_waits_is_woken() -> None:
    """A response or the end wakes the waiting reader."""
    queue = ResponseQueue()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(said(queue))
        for _ in range(3):
            await asyncio.sleep(0)
            queue.put(DRAIN)
        await asyncio.sleep(0)
        queue.close()

    assert await waiting == [DRAIN] * 3


async def test_responses_before_the_end_are_sent() -> None:
    """Nothing is accepted after ``close``; the stream ends as the first ``close`` said."""
    queue = ResponseQueue()
    queue.put(DRAIN)
    queue.close(ValueError("first"))
    queue.close(ValueError("second"))
    queue.put(DRAIN)

    assert await queue.get() == DRAIN
    with pytest.raises(ValueError, match="first"):
        await queue.get()


@pytest.mark.parametrize("is_raised", [True, False])
async def test_a_queue_closed_with_an_error_is_no_garbage(no_collector: None, *, is_raised: bool) -> None:
    """The error comes from whoever has the queue: together with the session, only the collector would free them."""

    def fail(queue: ResponseQueue) -> None:
        if not queue.is_full:
            raise ValueError("cut off")

    queue = ResponseQueue()
    try:
        fail(queue)
    except ValueError as error:
        queue.close(error)
    if is_raised:
        with suppress(ValueError):
            await queue.get()
    queue.discard()
    left = weakref.ref(queue)
    del queue
    assert left() is None


async def test_a_worker_that_does_not_read_is_not_read() -> None:
    """Until it has read some responses: the queue is bounded."""
    queue = ResponseQueue()
    await queue.wait_below_limit()
    put = 0
    room = asyncio.ensure_future(queue.wait_below_limit())
    while room.done() or not put:
        queue.put(DRAIN)
        put += 1
        room = asyncio.ensure_future(queue.wait_below_limit())
        await asyncio.sleep(0)
        assert put < 10_000

    await queue.get()
    await room


async def test_there_is_room_again_once_less_waits_than_the_bound() -> None:
    """Not after any read, but below the bound."""
    queue = ResponseQueue()
    for number in range(1030):
        queue.put(WorkResponse(rejected=Rejected(report_sequence=number + 1)))
    waiting = asyncio.create_task(queue.wait_below_limit())
    for _ in range(6):
        await queue.get()
        await asyncio.sleep(0)
        assert not waiting.done()

    await queue.get()
    await waiting
