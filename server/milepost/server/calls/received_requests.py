"""The requests of a stream as its handler gets them: decoded, with the size of each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, Self, TypeVar

from google.protobuf.message import Message

from milepost.server.calls.call_turns import CallTurns
from milepost.server.calls.request_decoding import Decoded, finish_decoding
from milepost.server.scheduling.slices import Slices

_Request_co = TypeVar("_Request_co", covariant=True)


class SizedRequests(Protocol[_Request_co]):
    """Requests, and the size of the last one.

    protobuf encodes a message to tell its size. Of a report of 4 MB that takes 6 ms, as malloc gets such a buffer from
    the kernel and gives it back each time; whoever received the message knows its size already.
    """

    @property
    def size(self) -> int:
        """Bytes of the last request, as it was received."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> _Request_co: ...


class ReceivedRequests:
    """Decodes what is ``received`` from ``caller``, large messages in their turn and in slices.

    Raises the Refusal of what cannot be decoded.
    """

    def __init__(
        self,
        received: AsyncIterator[bytes],
        decode: Callable[[bytes], Decoded],
        caller: str,
        turns: CallTurns,
        slices: Slices,
    ) -> None:
        self._received = received
        self._decode = decode
        self._caller = caller
        self._turns = turns
        self._slices = slices
        self.size = 0
        """See ``SizedRequests``."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        data = await anext(self._received)
        self.size = len(data)
        await self._turns.begin_message(self._caller, self.size)
        decoded = self._decode(data)
        # Small requests are decoded already: no further call for them.
        return decoded if isinstance(decoded, Message) else await finish_decoding(decoded, self._slices)
