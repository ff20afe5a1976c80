"""Callers beyond their rate: their calls are refused late, with a refusal that is ready, and counted instead of logged.

A refusal costs the server nearly as much as an answer, and a client that ignores ``RetryInfo`` repeats the call as soon
as it is refused. So the more of its calls wait, the longer each waits for its refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from milepost.server.base.refusal import Refusal

_logger = structlog.get_logger("milepost.access")

SHORTEST_DELAY: Final = 1.0
"""Seconds for which a call of a caller beyond its rate is delayed before it is refused, at least."""

REFUSALS_PER_SECOND: Final = 100
"""Calls of one caller that are refused in a second, if not more of them wait than may be delayed."""

DELAYED_LIMIT: Final = 1_000
"""Calls of one caller delayed at a time: all that one connection may have. Further ones are refused at once."""

DELAYED_TOTAL: Final = 2_000
"""Calls of all callers delayed at a time. Each takes some 25 kB, besides its metadata."""

LOG_INTERVAL: Final = 10.0
"""Seconds in which one refusal of a caller is logged like any other call; the log has the number of the others."""


class Throttling:
    """The callers that were beyond their rate of late, by key. Bound to the running event loop."""

    def __init__(self) -> None:
        self._throttled: dict[str, _Throttled] = {}
        self._delayed: set[asyncio.Future[None]] = set()

    def __contains__(self, caller: str) -> bool:
        """Whether there is a refusal that calls of this caller share."""
        throttled = self._throttled.get(caller)
        return throttled is not None and throttled.refusal is not None

    def __len__(self) -> int:
        """The number of callers that were beyond their rate of late: nearly always none."""
        return len(self._throttled)

    @property
    def delayed(self) -> int:
        """The number of calls that are delayed."""
        return len(self._delayed)

    async def refuse(self, caller: str, make_refusal: Callable[[], Refusal]) -> Refusal:
        """The refusal of a call, once that was delayed. ``make_refusal`` is called if there is none yet."""
        throttled = self._of(caller)
        refusal = throttled.refusal
        if refusal is None:
            refusal = make_refusal()
            throttled.refusal = make_refusal()
            throttled.refusal.is_counted = True
        else:
            throttled.count += 1
        await self._delay(throttled)
        return refusal

    def count(self, caller: str, refusal: Refusal) -> _Throttled:
        """Count a call that has a refusal of its own, unless it is the one to be logged."""
        throttled = self._of(caller)
        if throttled.refusal is None:
            throttled.refusal = refusal
        else:
            refusal.is_counted = True
            throttled.count += 1
        return throttled

    async def delay(self, caller: str, refusal: Refusal) -> None:
        """Do as ``count``, and delay the call."""
        await self._delay(self.count(caller, refusal))

    def release(self) -> None:
        """Refuse the calls that are delayed now."""
        for delayed in self._delayed:
            _end_delay(delayed)

    def _of(self, caller: str) -> _Throttled:
        throttled = self._throttled.get(caller)
        if throttled is None:
            throttled = self._throttled[caller] = _Throttled()
            asyncio.get_running_loop().call_later(LOG_INTERVAL, self._log, caller, throttled)
        return throttled

    async def _delay(self, throttled: _Throttled) -> None:
        if throttled.delayed >= DELAYED_LIMIT or len(self._delayed) >= DELAYED_TOTAL:
            return
        throttled.delayed += 1
        loop = asyncio.get_running_loop()
        delayed: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(
            max(SHORTEST_DELAY, throttled.delayed / REFUSALS_PER_SECOND), _end_delay, delayed
        )
        self._delayed.add(delayed)
        try:
            await asyncio.shield(delayed)
        except asyncio.CancelledError:
            # If the call ended for gRPC now, a client that has given it up could make another one at once.
            await delayed
            raise
        finally:
            timer.cancel()
            self._delayed.discard(delayed)
            throttled.delayed -= 1

    def _log(self, caller: str, throttled: _Throttled) -> None:
        """Log how many calls were refused without a line of their own; forget who makes none any more."""
        if not throttled.count and not throttled.delayed:
            del self._throttled[caller]
            return
        if throttled.count:
            _logger.info("calls refused", caller=caller, count=throttled.count, seconds=LOG_INTERVAL)
        throttled.count = 0
        throttled.refusal = None
        asyncio.get_running_loop().call_later(LOG_INTERVAL, self._log, caller, throttled)


def _end_delay(delayed: asyncio.Future[None]) -> None:
    if not delayed.done():  # the timer and the stop of the server may both release it
        delayed.set_result(None)


class _Throttled:
    """A caller that was beyond its rate of late.

    Attributes:
        refusal: The one of all its calls, or the one that was logged; None where the next one has to be.
        count: The calls that were refused since then.
        delayed: Its calls that are delayed.
    """

    __slots__ = ("count", "delayed", "refusal")

    def __init__(self) -> None:
        self.refusal: Refusal | None = None
        self.count = 0
        self.delayed = 0
