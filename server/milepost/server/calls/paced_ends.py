"""Calls that clients leave end some at a time: to end one takes a tenth of a millisecond, and thousands may be left.

What a call does when it is cancelled, or cannot write, such as to free its room and to write its line in the log,
cannot wait for anything by itself. So its coroutine learns of an error of what it awaits only when it has a turn.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from milepost.server.calls.call_turns import ENDS_PER_PASS, CallTurns
from milepost.server.scheduling.callers import served_caller

_Result = TypeVar("_Result")


class PacedEnds:
    """Runs the coroutines of calls, each in a task of its own."""

    def __init__(self) -> None:
        self._turns = CallTurns(ENDS_PER_PASS)

    @types.coroutine
    def run(
        self, call: Coroutine[Any, Any, _Result], on_cancelled: Callable[[], object] = lambda: None
    ) -> Generator[Any, Any, _Result]:
        """Run a call; errors reach it in turns of its caller, and a cancellation meanwhile at once.

        ``on_cancelled`` is called as soon as it is cancelled, before its turn.
        """
        # The traceback of the error has this frame. So this frame keeps neither the error nor the future that raised it
        # when the call gets the error: together they would be garbage.
        raised: list[BaseException] = []
        while True:
            try:
                awaited = call.throw(raised.pop()) if raised else call.send(None)
            except StopIteration as ended:
                result: _Result = ended.value
                return result
            try:
                yield awaited
            except GeneratorExit:
                call.close()
                raise
            except BaseException as error:  # noqa: BLE001  # the call handles it, or raises it
                raised.append(error)
                del awaited
                if isinstance(error, asyncio.CancelledError):
                    on_cancelled()
                try:
                    yield from self._turns.begin(served_caller()).__await__()
                except asyncio.CancelledError as again:
                    raised[0] = again
