"""Queues with a search by key."""

from __future__ import annotations

import asyncio

from milepost.server.watching.keyed_deque import FREED_PER_PASS, KeyedDeque


class _Item:
    """Counts those that there are."""

    alive = 0

    def __init__(self) -> None:
        _Item.alive += 1

    def __del__(self) -> None:
        _Item.alive -= 1


async def test_a_long_queue_is_freed_in_pieces() -> None:
    """The last watch of a filter may leave hundreds of thousands of entries behind; the queue goes on without them."""
    queue: KeyedDeque[_Item] = KeyedDeque()
    for key in range(2 * FREED_PER_PASS + 1):
        queue.append(key, _Item())
    queue.popleft()
    queue.free()
    left = [_Item.alive]
    queue.append(7, _Item())
    for _ in range(3):
        await asyncio.sleep(0)
        left.append(_Item.alive)

    assert left == [FREED_PER_PASS, 1, 1, 1]
    assert (len(queue), queue.oldest_key, queue.newest_key) == (1, 7, 7)


async def test_a_short_queue_is_freed_at_once() -> None:
    """It takes no callback."""
    queue: KeyedDeque[_Item] = KeyedDeque()
    queue.append(1, _Item())
    queue.free()
    assert (_Item.alive, len(queue)) == (0, 0)
