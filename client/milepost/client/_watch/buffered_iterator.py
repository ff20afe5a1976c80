"""Iteration over items that come in batches: one by one, or batch by batch."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar

__all__ = ["BufferedIterator"]

Item = TypeVar("Item")


class BufferedIterator(ABC, AsyncIterator[Item]):
    """Yields items that were received, and keeps those that nobody has got yet. ``async with`` ends it."""

    def __init__(self) -> None:
        self._ready: deque[Item] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        await self._receive()
        if not self._ready:
            raise StopAsyncIteration
        item = self._ready.popleft()
        self._on_yield((item,), all_read=not self._ready)
        return item

    async def batch(self) -> Sequence[Item]:
        """All items received so far, which costs less than single items; waits for at least one, empty at the end."""
        await self._receive()
        items = tuple(self._ready)
        self._ready.clear()
        if items:
            self._on_yield(items, all_read=True)
        return items

    async def batches(self) -> AsyncGenerator[Sequence[Item], None]:
        """Iterate over batches; see `batch`."""
        while items := await self.batch():
            yield items

    @abstractmethod
    async def aclose(self) -> None:
        """End the iteration."""

    @contextlib.contextmanager
    def _keeping(self, items: Sequence[Item]) -> Iterator[None]:
        """Keep these items for the next iteration if the block raises, as a callback may: the cursor is past them."""
        try:
            yield
        except BaseException:
            self._ready.extend(items)
            raise

    @abstractmethod
    async def _receive(self) -> None:
        """Wait until there are items that nobody has got yet, or the end."""

    @abstractmethod
    def _on_yield(self, items: Sequence[Item], *, all_read: bool) -> None:
        """Note that these items were yielded; `all_read`: no received item is left."""
