"""Memory of calls: bounds on what arrives, on what is at work, and on what clients have not read yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar, cast

import grpc
import grpc.aio

from milepost.contract import limits
from milepost.server.base.refusal import Refusal, malformed
from milepost.server.budgets.byte_budget import SMALL_CHARGE, ByteBudget, Charge
from milepost.server.budgets.response_room import (
    RESPONSE_COPIES,
    RESPONSE_MEMORY,
    RETRY_DELAY,
    limit_reached,
    unread,
    wait_for_room,
)
from milepost.v1 import ErrorReason

_Context = grpc.aio.ServicerContext[Any, Any]

_Request = TypeVar("_Request")

_ReceiveInParts: TypeAlias = Callable[[Callable[[int], None]], Awaitable[_Request]]

REQUEST_MEMORY: Final = 64 << 20
"""Bytes of requests at work."""

LARGEST_MESSAGE: Final = 2 * limits.REQUEST_SIZE
"""Bytes of a message that gRPC accepts. Above the limit of a request, so that the server refuses larger ones with a
reason; gRPC itself gives none."""

ARRIVAL_TIMEOUT: Final = 60.0
"""Seconds in which the request of a call has to arrive."""

# Seconds after which a request that is not there yet is charged with the most that gRPC may keep of it.
_ARRIVAL_GRACE: Final = 0.25

# Checks within that time of whether the request is there. Where the event loop comes late to one by half of the time
# between them, the server is busy: what has arrived may not have been noticed yet, and the check does not count.
_CHECKS: Final = 5
_CHECK_INTERVAL: Final = _ARRIVAL_GRACE / _CHECKS

# Checks, late ones too, after which a request that is not there is slow in any case.
_CHECKS_LIMIT: Final = 40

CALL_COST: Final = 4 << 10
"""What a request costs besides its message, in bytes."""

# Smaller responses are bounded by the number of calls.
_COUNTED_RESPONSE: Final = 16 << 10


class CallMemory:
    """The budgets of all calls. One caller has at most half of each."""

    def __init__(self, requests: int = REQUEST_MEMORY, responses: int = RESPONSE_MEMORY) -> None:
        """Bounds in bytes: of requests at work, with twice as much for those that arrive; and of unread responses."""
        self.arriving = ByteBudget(2 * requests)
        self.requests = ByteBudget(requests)
        self.responses = ByteBudget(responses)

    def of(self, caller: str) -> CallerMemory:
        """The share of the caller with this key."""
        return CallerMemory(
            self.arriving.share(caller), self.requests.share(caller), self.responses.share(caller)
        )


class CallerMemory:
    """The share of one caller."""

    def __init__(self, arriving: ByteBudget, requests: ByteBudget, responses: ByteBudget) -> None:
        self._arriving = arriving
        self.requests = requests
        self.responses = responses

    async def receive(self, context: _Context) -> tuple[bytes, Charge]:
        """Receive the one request of a call; return it with its charge, which the caller of this method releases.

        gRPC keeps what has arrived of a request in memory, and does not tell how much. So the server begins to receive
        a request only while there is room for a small one, and charges one that takes long as the largest there is.

        Raises LIMIT_REACHED where there is no room or the request does not arrive in time, INVALID_FIELD where there is
        none.
        """
        arriving, at_work = Charge(self._arriving), Charge(self.requests)
        await arriving.acquire(SMALL_CHARGE)
        try:
            request = await self._read(context, arriving)
            if request is None:
                raise malformed()
            size = len(request) + CALL_COST
            if not at_work.try_resize(size):
                if size > arriving.size and not arriving.try_resize(size):
                    raise self._no_room()
                await at_work.acquire(size)
        finally:
            arriving.release()
        return request, at_work

    async def receive_all(self, context: _Context) -> AsyncIterator[bytes]:
        """Receive the requests of a call; a large one is charged until the next one is asked for.

        The first one is received as that of ``receive``. There may be long silences before the others, so these are
        charged once they are there; small ones are bounded by the number of calls. Raises LIMIT_REACHED.
        """
        charge = Charge(self._arriving)
        await charge.acquire(SMALL_CHARGE)
        try:
            request = await self._read(context, charge)
            while request is not None:
                is_large = len(request) > SMALL_CHARGE
                if (is_large or charge.size) and not charge.try_resize(len(request) if is_large else 0):
                    raise self._no_room()
                yield request
                if charge.size:
                    charge.release()
                request = _message(await context.read())
        finally:
            charge.release()

    async def receive_in_parts(self, receive: _ReceiveInParts[_Request]) -> tuple[_Request, Charge]:
        """Receive a request of which each part is counted as it arrives; return it with its charge.

        ``receive`` calls its argument with the bytes of each part, and receives in bounded time. Raises what it
        raises, and LIMIT_REACHED where there is no room.
        """
        arriving, at_work = Charge(self._arriving), Charge(self.requests)
        await arriving.acquire(SMALL_CHARGE)
        size = CALL_COST

        def arrived(count: int) -> None:
            nonlocal size
            size += count
            if size > arriving.size and not arriving.try_resize(size):
                raise self._no_room()

        try:
            request = await receive(arrived)
            if not at_work.try_resize(size):
                await at_work.acquire(size)
        finally:
            arriving.release()
        return request, at_work

    async def respond(self, context: _Context, size: int, request: Charge) -> None:
        """Do as ``charge_response``, and give the room back when gRPC has sent the response."""
        if size < _COUNTED_RESPONSE:
            return
        response = await self.charge_response(size, request)
        # types-grpcio declares the callback as a class that no function satisfies.
        cast("Any", context).add_done_callback(lambda _: response.release())

    async def charge_response(self, size: int, request: Charge) -> Charge:
        """Wait for room for the only response of a call, and charge it, unless it is small.

        Meanwhile the charge of the request includes it. Raises LIMIT_REACHED where the caller does not read.
        """
        response = Charge(self.responses)
        if size >= _COUNTED_RESPONSE and not response.try_resize(RESPONSE_COPIES * size):
            if not request.try_resize(request.size + size):
                raise unread()
            await wait_for_room(response, RESPONSE_COPIES * size)
        return response

    async def _read(self, context: _Context, charge: Charge) -> bytes | None:
        """Receive a request, None at the end; one that takes long is charged as the largest."""
        fits = True
        try:
            async with asyncio.timeout(None) as deadline:
                arrival = _Arrival(charge, deadline)
                try:
                    return _message(await context.read())
                finally:
                    arrival.stop()
                    fits = arrival.fits
        except TimeoutError:
            raise (_too_slow() if fits else self._no_room()) from None

    def _no_room(self) -> Refusal:
        room = f"{self.requests.limit >> 20} MiB"
        return limit_reached(f"Requests of this caller use the {room} that it may have", "request-memory")


class _Arrival:
    """The wait for a request, with a deadline from when it takes long.

    ``fits`` says whether there is room for the largest. It is no function within the one that waits: that would be
    garbage with its timer after each call.
    """

    __slots__ = ("_charge", "_checks", "_checks_in_time", "_deadline", "_due", "_loop", "_timer", "fits")

    def __init__(self, charge: Charge, deadline: asyncio.Timeout) -> None:
        self.fits = True
        self._charge = charge
        self._deadline = deadline
        self._checks = self._checks_in_time = 0
        self._loop = asyncio.get_running_loop()
        self._check_later()

    def stop(self) -> None:
        """Check no more."""
        self._timer.cancel()

    def _check_later(self) -> None:
        self._due = self._loop.time() + _CHECK_INTERVAL
        self._timer = self._loop.call_at(self._due, self._check)

    def _check(self) -> None:
        now = self._loop.time()
        self._checks += 1
        self._checks_in_time += now <= self._due + _CHECK_INTERVAL / 2
        if self._checks_in_time < _CHECKS and self._checks < _CHECKS_LIMIT:
            self._check_later()
            return
        self.fits = self._charge.try_resize(LARGEST_MESSAGE)
        self._deadline.reschedule(now + (ARRIVAL_TIMEOUT if self.fits else 0))


def _message(received: object) -> bytes | None:
    return received if isinstance(received, bytes) else None


def _too_slow() -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"The request did not arrive within {ARRIVAL_TIMEOUT:g} s. Send it again, or smaller.",
        metadata={"limit": "arrival"},
        retry_delay=RETRY_DELAY,
    )
