"""What is to be said to a worker: in order, coalesced, bounded, and with an end."""

from __future__ import annotations

import asyncio

import pytest

from milepost.server.dispatch.worker_session import Outbox
from milepost.v1 import Acknowledged, Drain, Rejected, WorkResponse


def acknowledged(job_id: str, report_sequence: int) -> WorkResponse:
    """An acknowledgement."""
    return WorkResponse(acknowledged=Acknowledged(job_id=job_id, report_sequence=report_sequence))


DRAIN = WorkResponse(drain=Drain())


async def said(outbox: Outbox) -> list[WorkResponse]:
    """All that is said until the end."""
    responses = []
    while (response := await outbox.get()) is not None:
        responses.append(response)
    return responses


async def test_it_is_said_in_order() -> None:
    """Of different sorts each is said."""
    outbox = Outbox()
    sent = [acknowledged("j", 1), DRAIN, acknowledged("k", 1), acknowledged("j", 2), DRAIN, DRAIN]
    for response in sent:
        outbox.put(response)
    outbox.end()

    assert sent == await said(outbox)


async def test_of_acknowledgements_in_a_row_only_the_last_is_said() -> None:
    """Rule 12: they are cumulative, for each job."""
    outbox = Outbox()
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
        outbox.put(response)
    outbox.end()

    expected = [acknowledged("j", 5), acknowledged("k", 1), acknowledged("j", 6), DRAIN, acknowledged("j", 8)]
    assert await said(outbox) == expected


async def test_one_who_waits_is_woken() -> None:
    """By what is put, and by the end."""
    outbox = Outbox()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(said(outbox))
        for _ in range(3):
            await asyncio.sleep(0)
            outbox.put(DRAIN)
        await asyncio.sleep(0)
        outbox.end()

    assert await waiting == [DRAIN] * 3


async def test_what_was_put_before_the_end_is_said() -> None:
    """And nothing after it; then the stream ends as it was told to, the first time."""
    outbox = Outbox()
    outbox.put(DRAIN)
    outbox.end(ValueError("first"))
    outbox.end(ValueError("second"))
    outbox.put(DRAIN)

    assert await outbox.get() == DRAIN
    with pytest.raises(ValueError, match="first"):
        await outbox.get()


async def test_a_worker_that_does_not_read_is_not_heard() -> None:
    """Until it has read some: what waits for it is bounded."""
    outbox = Outbox()
    await outbox.room()
    put = 0
    room = asyncio.ensure_future(outbox.room())
    while room.done() or not put:
        outbox.put(DRAIN)
        put += 1
        room = asyncio.ensure_future(outbox.room())
        await asyncio.sleep(0)
        assert put < 10_000

    await outbox.get()
    await room


async def test_there_is_room_again_once_less_waits_than_the_bound() -> None:
    """Not as soon as anything is read: what a worker does not read stays bounded."""
    outbox = Outbox()
    for number in range(1030):
        outbox.put(WorkResponse(rejected=Rejected(report_sequence=number + 1)))
    waiting = asyncio.create_task(outbox.room())
    for _ in range(6):
        await outbox.get()
        await asyncio.sleep(0)
        assert not waiting.done()

    await outbox.get()
    await waiting
