"""The time of day by which the nodes of a stream go: that of the stream's leader.

Events carry the time of the node that wrote them, and every node counts a job's time limits, retries and retention from
there. Were each to go by its own machine, a clock that is wrong would end the jobs of others. NATS tells the time in
each answer about a stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Final, NamedTuple

import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.server.base.clock import AdjustedClock
from milepost.server.base.repeating import repeat
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import REQUEST_TIMEOUT, NatsConnection
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.messages.timestamps import SECOND, instant

_INTERVAL: Final = 10.0
"""Seconds between two measurements."""

_RETRY_DELAY: Final = 0.2
"""Seconds before the next measurement when a node starts and had no answer."""

_MEASUREMENTS: Final = 3
"""Questions of a measurement; the answer that came soonest counts."""

TOLERANCE: Final = SECOND // 10
"""Nanoseconds, besides what the way of the answer may have taken, up to which a clock counts as right."""

_NOTED: Final = SECOND
"""Nanoseconds by which a clock has to be wrong for the log to warn of it."""

_logger = structlog.get_logger("milepost.store")


class _Measured(NamedTuple):
    """By how many nanoseconds the machine's clock is behind that of the stream, give or take the error."""

    offset: int
    error: int


class StreamTime:
    """Keeps ``clock`` at the time of the stream's leader."""

    def __init__(self, connection: NatsConnection, names: StreamNames, clock: AdjustedClock) -> None:
        self._connection = connection
        self._subject = f"$JS.API.STREAM.INFO.{names.stream}"
        self._clock = clock
        self._keeping: asyncio.Task[None] | None = None
        # The offset of the last warning.
        self._warned = 0

    async def start(self) -> None:
        """Adjust the clock, and again from time to time: anybody may set either clock.

        Waits for an answer without a limit, since the ages of all jobs are about to be reckoned from the clock.
        """
        answered = await self.adjust()
        while not answered:
            await asyncio.sleep(_RETRY_DELAY)
            answered = await self.adjust()
        self._keeping = asyncio.create_task(repeat(self.adjust, _INTERVAL))

    async def close(self) -> None:
        """Leave the clock as it is from now on."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def adjust(self) -> bool:
        """Ask the stream's leader, and adjust the clock. Return whether there was an answer; if not, it stays."""
        answers: list[_Measured | None] = []
        with contextlib.suppress(ConnectionLost):
            while len(answers) < _MEASUREMENTS:
                answers.append(await self._ask())
        measured = min((each for each in answers if each), key=lambda each: each.error, default=None)
        if measured is None:
            return bool(answers)
        tolerance = measured.error + TOLERANCE
        if abs(measured.offset) <= tolerance:
            self._clock.adjust(0)
            self._warned = 0
        # A clock that is right within what can be measured stays as it is: it would only move back and forth.
        elif abs(measured.offset - (self._clock.now() - self._clock.machine())) > tolerance:
            self._clock.adjust(measured.offset)
        self._warn(measured.offset)
        return True

    def _warn(self, offset: int) -> None:
        """Warn once, and again when it has become a different offset: a clock may drift for months."""
        if abs(offset) > _NOTED and abs(offset - self._warned) > _NOTED:
            self._warned = offset
            _logger.warning(
                "the clock of this machine is not that of the stream's leader, by which all nodes go; keep both in "
                "step, as by NTP",
                seconds_behind=round(offset / SECOND, 1),
            )

    async def _ask(self) -> _Measured | None:
        """Ask once. None if NATS does not tell the time, as before 2.10."""
        asked, begun = self._clock.machine(), time.monotonic_ns()
        answer = await self._connection.ask(
            lambda _: self._connection.client.request(self._subject, b"", timeout=REQUEST_TIMEOUT)
        )
        error = (time.monotonic_ns() - begun) // 2
        told = Timestamp()
        try:
            told.FromJsonString(json.loads(answer.data)["ts"])
        except (KeyError, ValueError):
            return None
        return _Measured(instant(told) - (asked + error), error)
