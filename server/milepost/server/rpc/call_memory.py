"""Memory of calls: bounds on what arrives, on what is at work, and on what clients have not read yet."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import grpc
import grpc.aio

from milepost.contract import limits
from milepost.server.base.byte_budget import SMALL, ByteBudget, Charge
from milepost.server.base.callers import caller_of
from milepost.server.base.refusal import Refusal, malformed
from milepost.v1 import ErrorReason

_Context = grpc.aio.ServicerContext[Any, Any]

LARGEST_MESSAGE: Final = 2 * limits.REQUEST_SIZE
"""Bytes of a message that gRPC accepts. Above the limit of a request, so that the server refuses larger ones with a
reason; gRPC itself gives none."""

ARRIVAL_TIMEOUT: Final = 60.0
"""Seconds in which the request of a call has to arrive."""

RESPONSE_TIMEOUT: Final = 10.0
"""Seconds that a response waits for the caller to read earlier ones."""

# Seconds after which a request that is not there yet is charged with the most that gRPC may keep of it.
_SOON: Final = 0.1

# What a call costs besides its request, in bytes.
_CALL_COST: Final = 4 << 10

# gRPC copies what is sent.
_COPIES: Final = 2

# Smaller responses are bounded by the number of calls.
_COUNTED_RESPONSE: Final = 16 << 10

RETRY_DELAY: Final = 5.0
"""Seconds after which a caller without room may try again."""


class CallMemory:
    """The budgets of all calls. One caller has at most half of each."""

    def __init__(self, requests: int, responses: int) -> None:
        """Bounds in bytes: of requests at work, with twice as much for those that arrive; and of unread responses."""
        self.arriving = ByteBudget(2 * requests)
        self.requests = ByteBudget(requests)
        self.responses = ByteBudget(responses)

    def of(self, peer: str) -> CallerMemory:
        """The share of the caller that gRPC names ``peer``."""
        caller = caller_of(peer)
        return CallerMemory(
            *(
                budget.child(caller, budget.limit // 2)
                for budget in (self.arriving, self.requests, self.responses)
            )
        )


class CallerMemory:
    """The share of one caller."""

    def __init__(self, arriving: ByteBudget, requests: ByteBudget, responses: ByteBudget) -> None:
        self._arriving = arriving
        self.requests = requests
        self._responses = responses

    async def receive(self, context: _Context) -> tuple[bytes, Charge]:
        """Receive the one request of a call; return it with its charge, which the caller of this method releases.

        gRPC keeps what has arrived of a request in memory, and does not tell how much. So the server begins to receive
        a request only while there is room for a small one, and charges one that takes long as the largest there is.

        Raises LIMIT_REACHED where there is no room or the request does not arrive in time, INVALID_FIELD where there is
        none.
        """
        arriving, at_work = Charge(self._arriving), Charge(self.requests)
        await arriving.acquire(SMALL)
        try:
            request = await self._read(context, arriving)
            size = len(request) + _CALL_COST
            if not at_work.try_resize(size):
                if size > arriving.size and not arriving.try_resize(size):
                    raise self._no_room()
                await at_work.acquire(size)
        finally:
            arriving.release()
        return request, at_work

    async def respond(self, context: _Context, size: int, request: Charge) -> None:
        """Wait for room for the only response of a call; it is charged until gRPC has sent it.

        Meanwhile the charge of the request includes it. Raises LIMIT_REACHED where the caller does not read.
        """
        if size < _COUNTED_RESPONSE:
            return
        response = Charge(self._responses)
        if not response.try_resize(_COPIES * size):
            if not request.try_resize(request.size + size):
                raise self._unread()
            try:
                async with asyncio.timeout(RESPONSE_TIMEOUT):
                    await response.acquire(_COPIES * size)
            except TimeoutError:
                raise self._unread() from None
        # Its type in types-grpcio is a class that no function is of.
        cast("Any", context).add_done_callback(lambda _: response.release())

    async def _read(self, context: _Context, charge: Charge) -> bytes:
        loop = asyncio.get_running_loop()
        fits = True

        def charge_fully() -> None:
            nonlocal fits
            fits = charge.try_resize(LARGEST_MESSAGE)
            deadline.reschedule(loop.time() + (ARRIVAL_TIMEOUT if fits else 0))

        try:
            async with asyncio.timeout(None) as deadline:
                timer = loop.call_later(_SOON, charge_fully)
                try:
                    request = await context.read()
                finally:
                    timer.cancel()
        except TimeoutError:
            raise (_too_slow() if fits else self._no_room()) from None
        if request is grpc.aio.EOF:
            raise malformed()
        assert isinstance(request, bytes)
        return request

    def _no_room(self) -> Refusal:
        return _limit_reached(
            f"Requests of this caller use the {self.requests.limit >> 20} MiB that it may have",
            "request-memory",
        )

    def _unread(self) -> Refusal:
        return _limit_reached(
            f"This caller has not read {self._responses.limit >> 20} MiB of responses", "response-memory"
        )


def _limit_reached(what: str, option: str) -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"{what}. Try again, send less at once, or raise --{option}.",
        metadata={"limit": option},
        retry_delay=RETRY_DELAY,
    )


def _too_slow() -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"The request did not arrive within {ARRIVAL_TIMEOUT:g} s. Send it again, or smaller.",
        metadata={"limit": "arrival"},
        retry_delay=RETRY_DELAY,
    )
