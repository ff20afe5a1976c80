"""The receiving end of a stream: its caller, its turns, and the memory of its unread responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Protocol, TypeAlias

from milepost.server.budgets.byte_budget import ByteBudget, Charge
from milepost.server.budgets.response_room import RESPONSE_COPIES, wait_for_room
from milepost.server.watching.pacer import Pacer

Send: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Sends a serialised response; returns once the next one may follow.

It may have a method ``offer(response) -> bool``, for readers that often have room at once: that sends the response
without a wait, while nothing else is being sent, and returns True; or it sends nothing, and returns False. Where such a
response may still be on its way, ``await sent()`` returns once it is sent, and ``call_when_sent(callback)`` calls back
soon after that, when another one may be on its way, or returns False if none is."""


class SharedOffers(Protocol):
    """Offers the same responses to several readers."""

    def add(self, reader: SharingReader) -> None:
        """Offer them to this reader, too."""

    def discard(self, reader: SharingReader) -> None:
        """Offer them to this reader no more."""

    def offer(self, response: bytes) -> Sequence[SharingReader] | None:
        """Offer a response, as ``offer`` of ``Send`` does; return the readers that did not take it, and have left.

        Return None if it cannot be offered: then no reader has it.
        """


class SharingReader(Protocol):
    """A reader for whom a response that is offered is the same as for others. A ``Send`` may have one as ``reader``."""

    @property
    def key(self) -> Hashable:
        """Equal for readers who share offers; None while this one takes none."""

    @property
    def shares_limit(self) -> int:
        """Readers who share offers, at most: what is offered is written to all of them in one turn of their caller."""

    def share(self) -> SharedOffers:
        """Offers to readers with this key, without any yet."""


COUNTED_RESPONSE: Final = 2 << 10
"""Bytes from which on a response of a watch is counted. Smaller ones are bounded by the number of watches."""


# What it takes of a budget.
_COUNTED_SIZE: Final = RESPONSE_COPIES * COUNTED_RESPONSE


class NoRoom(Exception):
    """The caller's unread responses leave no room for this one. Drop it, and compose it again once there is room."""


class Subscriber:
    """One call of WatchJob or WatchJobs. ``caller`` is the key that its load is counted under.

    ``unread`` is the budget of that caller's responses. A response is charged until gRPC has sent it, or longer where
    others follow at once, since evicting a cache does not free what a stream or gRPC holds.
    """

    def __init__(self, caller: str, send: Send, pacer: Pacer, unread: ByteBudget) -> None:
        self.caller = caller
        self.pacer = pacer
        self._send = send
        self._offer: Callable[[bytes], bool] | None = getattr(send, "offer", None)
        self._sent: Callable[[], Awaitable[None]] | None = getattr(send, "sent", None)
        self._call_when_sent: Callable[[Callable[[], None]], bool] = getattr(
            send, "call_when_sent", lambda _: False
        )
        self._reader: SharingReader | None = getattr(send, "reader", None)
        self._charge = Charge(unread)
        self._wanted = 0
        # Whether the room that is charged is that of a response which has been sent.
        self._is_spare = False

    @property
    def sharing(self) -> SharingReader | None:
        """The reader, where it shares offers with others."""
        return None if self._reader is None or self._reader.key is None else self._reader

    @property
    def takes_offers(self) -> bool:
        """Whether ``offer`` may send something."""
        return self._offer is not None

    def offer(self, response: bytes) -> bool:
        """Send a small response now, while nothing else is being sent; False, and nothing is sent, if it cannot."""
        return len(response) < COUNTED_RESPONSE and self._offer is not None and self._offer(response)

    def call_when_sent(self, callback: Callable[[], None]) -> bool:
        """Call back when what was offered is sent; False if nothing of that is on its way, or nobody can tell."""
        return self._call_when_sent(callback)

    async def sent(self) -> None:
        """Wait until what was offered is sent. What is composed before that would be in memory beside it."""
        if self._sent is not None:
            await self._sent()

    def charge(self, *responses: bytes) -> None:
        """Charge responses that are to be sent soon. Raises NoRoom."""
        size = RESPONSE_COPIES * sum(map(len, responses))
        if not self._charge.try_resize(size):
            self._wanted = size
            raise NoRoom
        self._is_spare = False

    async def send(self, *responses: bytes) -> None:
        """Send all of them, in order; none where this raises NoRoom."""
        if len(responses) == 1 and len(responses[0]) < COUNTED_RESPONSE:
            await self._send(responses[0])
            return
        self.charge(*responses)
        try:
            for response in responses:
                await self._send(response)
        finally:
            self._charge.release()

    def send_part(self, response: bytes) -> Awaitable[None]:
        """Send a response that mostly another one follows at once, and keep its room for that, until ``pause``.

        To give it back and charge it anew takes a tenth of the time of a replayed batch. So it may be charged for up to
        twice its size. It is to be awaited. Raises NoRoom.
        """
        size, charged = RESPONSE_COPIES * len(response), self._charge.size
        if size < _COUNTED_SIZE:
            self._is_spare = False
            self._charge.release()
        elif charged // 2 < size <= charged:
            self._is_spare = True  # once it is sent, and until then nobody asks
        else:
            self.charge(response)
            self._is_spare = True
        return self._send(response)

    def pause(self) -> None:
        """Give back the room of what was sent, before a wait for anything else."""
        if self._is_spare:
            self._is_spare = False
            self._charge.release()

    async def wait_for_room(self) -> None:
        """Wait until what raised NoRoom fits, and charge it. Raises LIMIT_REACHED."""
        self._is_spare = False
        self._charge.release()
        await wait_for_room(self._charge, self._wanted)

    def close(self) -> None:
        """Give the room back."""
        self._charge.release()
