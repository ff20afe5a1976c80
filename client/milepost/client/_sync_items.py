"""Lists and states for code without asyncio: plain iterators over the generators of an event loop thread."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Iterator
from typing import Generic, Self, TypeVar

from milepost.client._transport.event_loop_thread import EventLoopThread

__all__ = ["SyncItems"]

_Item = TypeVar("_Item")


class SyncItems(Iterator[_Item], Generic[_Item]):
    """The items of an asynchronous generator, which `close` ends. An error, or an interruption, ends it, too.

    Not a generator: as garbage, one would run its ``finally``, and wait there for the loop, in whichever thread the
    collector runs, also in that of the loop or within a lock. Asyncio has the loop close an asynchronous generator that
    is garbage, and waits for nothing.
    """

    def __init__(self, items: AsyncGenerator[_Item, None], loop_thread: EventLoopThread) -> None:
        self._items: AsyncGenerator[_Item, None] | None = items
        self._loop_thread = loop_thread

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        if self._items is None:
            raise StopIteration
        try:
            got = self._loop_thread.run(_next(self._items))
        except BaseException:
            self._items = None
            raise
        if not got:
            self._items = None
            raise StopIteration
        return got[0]

    def close(self) -> None:
        """End the iteration, and what it has at the server."""
        items, self._items = self._items, None
        if items is not None:
            with contextlib.suppress(RuntimeError):  # the client is closed
                self._loop_thread.run(items.aclose())


async def _next(items: AsyncGenerator[_Item, None]) -> tuple[_Item, ...]:
    """The next item; none at the end."""
    async for item in items:
        return (item,)
    return ()
