"""Waits that end where another task closes what they wait for."""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["ClosableWait"]


class ClosableWait:
    """What a task waits for, whatever it is: a delay, a call, a token. Closing it cancels that, but not the task."""

    def __init__(self) -> None:
        self._blocks: set[_Block] = set()

    def until_closed(self) -> _Block:
        """An ``async with`` block that is left where another task calls `close`."""
        return _Block(self._blocks)

    def close(self, error: Exception | None = None) -> None:
        """Have the blocks left that tasks of the running loop have entered, with this error."""
        loop = asyncio.get_running_loop()
        for block in tuple(self._blocks):
            if block.loop is loop:
                self._blocks.discard(block)
                block.leave(error)


class _Block:
    def __init__(self, entered: set[_Block]) -> None:
        self.loop = asyncio.get_running_loop()
        self._entered = entered
        self._scope = asyncio.timeout(None)
        self._error: Exception | None = None

    def leave(self, error: Exception | None) -> None:
        self._error = error
        self._scope.reschedule(0.0)  # its time is over

    async def __aenter__(self) -> None:
        await self._scope.__aenter__()
        self._entered.add(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._entered.discard(self)
        try:
            await self._scope.__aexit__(kind, error, traceback)
        except TimeoutError:
            if self._error is not None:
                raised, self._error = [self._error], None  # which has this frame
                raise raised.pop() from None
            return True
        return False
