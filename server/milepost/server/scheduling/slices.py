"""Run long work in slices, so that the event loop serves everybody else in between."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextvars import copy_context
from typing import Any, Final, TypeVar

from milepost.server.scheduling.steps import Steps

_Outcome = TypeVar("_Outcome")

_PAUSE_LIMIT: Final = 0.01
"""Maximum seconds between two turns, however long the first one took."""

_SLICE_TIME: Final = 0.001
"""Seconds that a slice takes, about."""

NEW_TIME: Final = 5 * _SLICE_TIME
"""Seconds that new works of a caller use before one that has begun has its next slice."""

BEGUN_PER_PASS: Final = 4
"""Works that begin in one pass of the event loop and may need more slices: dozens of large requests may be complete in
the same."""


class Slices:
    """All long work of a server: about a slice at a time, callers in turn, with pauses as long as that took.

    So all long work together takes at most half of the loop's time. What needs one slice only is done at once, unless
    ``BEGUN_PER_PASS`` works that need more have begun in this pass of the event loop.

    Attributes:
        count: The slices so far, except those that were done at once.
    """

    def __init__(self) -> None:
        # Those with work that waits, in the order of their turns.
        self._callers: OrderedDict[str, _CallerWorks] = OrderedDict()
        self._is_scheduled = False
        # Works that have begun in this pass, and need more slices.
        self._begun = 0
        self.count = 0

    async def run(self, steps: Steps[_Outcome], caller: str) -> _Outcome:
        """Do the work, and return its outcome; raises what the work raises. ``caller`` has asked for it.

        It awaits nothing if the work is done in one slice, at once.
        """
        try:
            has_begun = self._begun < BEGUN_PER_PASS
            if has_begun:
                next(steps)
                self._count_begun()
        except StopIteration as done:
            outcome: _Outcome = done.value
            return outcome
        work = _Work(steps)
        self._put(caller, work, has_begun=has_begun)
        try:
            outcome = await work.outcome
        finally:
            steps.close()
            # It has the error, whose traceback has this frame: they, and what the work had, would be garbage.
            del work
        return outcome

    def _count_begun(self) -> None:
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._next_pass)
        self._begun += 1

    def _next_pass(self) -> None:
        self._begun = 0

    def _put(self, caller: str, work: _Work, *, has_begun: bool) -> None:
        works = self._callers.get(caller)
        if works is None:
            works = self._callers[caller] = _CallerWorks()
        works.put(work, has_begun=has_begun)
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._give_turn)

    def _give_turn(self) -> None:
        """Give the next caller a turn, and another one a turn after a pause as long as this, also after an error."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        slices = 0
        try:
            while self._callers and not slices:
                slices = self._give_turn_to(*self._callers.popitem(last=False), loop)
        finally:
            self.count += slices
            self._is_scheduled = slices > 0 or bool(self._callers)
            if self._is_scheduled:
                loop.call_later(min(loop.time() - began, _PAUSE_LIMIT), self._give_turn)

    def _give_turn_to(self, caller: str, works: _CallerWorks, loop: asyncio.AbstractEventLoop) -> int:
        """Give a caller a turn, and then the last place of those that wait; the slices that were done."""
        try:
            return works.take_turn(loop)
        finally:
            if works:
                self._callers[caller] = works


class _Work:
    """Work that waits for its next slice; ``outcome`` is done once nothing is left of it, or whoever asked has left."""

    __slots__ = ("_context", "_steps", "outcome")

    def __init__(self, steps: Steps[Any]) -> None:
        self._steps = steps
        self._context = copy_context()
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def do_slice(self) -> None:
        """Do the next slice. It may itself cancel whoever waits for the outcome, which is done then."""
        try:
            self._context.run(next, self._steps)
        except StopIteration as done:
            if not self.outcome.done():
                self.outcome.set_result(done.value)
        # Raised to whoever asked for the work, also if it was cancelled: the works of others go on.
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
            if not self.outcome.done():
                # Without this frame, which has the outcome.
                self.outcome.set_exception(
                    error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
                )
        # What is for the event loop, which may end with it: whoever asked for the work waits no longer.
        except BaseException:
            self.outcome.cancel()
            raise


class _CallerWorks:
    """The works of a caller. New ones go before those that have begun, until they have used ``NEW_TIME``.

    So a small one waits for few slices of large ones, and many small ones keep none of these waiting for good.
    """

    def __init__(self) -> None:
        self._new: deque[_Work] = deque()
        self._begun: deque[_Work] = deque()
        # Seconds that new works have used since the last slice of one that had begun.
        self._used_by_new = 0.0

    def __bool__(self) -> bool:
        return bool(self._new or self._begun)

    def put(self, work: _Work, *, has_begun: bool) -> None:
        """Add a work."""
        (self._begun if has_begun else self._new).append(work)

    def take_turn(self, loop: asyncio.AbstractEventLoop) -> int:
        """Do a slice of a work that has begun, or begin others; return how many slices were done."""
        slices = 0
        if self._used_by_new < NEW_TIME or not self._begun:
            began = loop.time()
            while self._new and slices < BEGUN_PER_PASS and loop.time() - began < _SLICE_TIME:
                slices += self._do_slice(self._new.popleft())
            self._used_by_new += loop.time() - began
        if not slices:
            self._used_by_new = 0.0
        while self._begun and not slices:
            slices += self._do_slice(self._begun.popleft())
        return slices

    def _do_slice(self, work: _Work) -> bool:
        """Do the next slice of a work, and have it wait for another one; False where nobody waits for it any more."""
        if work.outcome.done():
            return False
        work.do_slice()
        if not work.outcome.done():
            self._begun.append(work)
        return True
