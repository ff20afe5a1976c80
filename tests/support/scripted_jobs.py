"""A backend of the application for browsers that answers what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from milepost.web.service import METHODS, Caller, ReceiveRequest, Send, ServiceError, Steps

_Outcome = TypeVar("_Outcome")


class ScriptedJobs:
    """Answers every unary call with ``answer``, and every watch with ``frames``, after which it stays open.

    With ``error`` set that is raised: by a watch, after its frames. ``requests`` are those received, ``callers`` who
    made them; ``sent`` counts the frames that the reader had room for, and ``watching`` the open watches.
    """

    def __init__(
        self, answer: Message | None = None, frames: Sequence[Message] = (), error: ServiceError | None = None
    ) -> None:
        self.answer = answer
        self.frames = frames
        self.error = error
        self.delay = 0.0
        self.stays_open = error is None
        self.requests: list[Any] = []
        self.callers: list[Caller] = []
        self.arrived = 0
        self.sent = 0
        self.watching = 0

    @asynccontextmanager
    async def call(self, method: str, receive: ReceiveRequest, caller: Caller) -> AsyncIterator[Message]:
        """See ``JobsBackend``."""
        await self._receive(method, receive, caller)
        await asyncio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        yield self.answer or GetMessageClass(METHODS[method].output_type)()

    async def decode(self, method: str, response: Message | bytes) -> Message:
        """See ``JobsBackend``."""
        assert isinstance(response, Message)
        return response

    async def watch(self, method: str, receive: ReceiveRequest, caller: Caller, send: Send) -> None:
        """See ``JobsBackend``."""
        self.watching += 1
        try:
            await self._receive(method, receive, caller)
            for frame in self.frames:
                await send(frame.SerializeToString())
                self.sent += 1
            if self.error is not None:
                raise self.error
            if self.stays_open:
                await asyncio.Event().wait()
        finally:
            self.watching -= 1

    async def run_in_slices(self, steps: Steps[_Outcome]) -> _Outcome:
        """See ``JobsBackend``."""
        while True:
            try:
                next(steps)
            except StopIteration as done:
                outcome: _Outcome = done.value
                return outcome
            await asyncio.sleep(0)

    async def _receive(self, method: str, receive: ReceiveRequest, caller: Caller) -> None:
        request = await receive(self._count)
        if isinstance(request, bytes):
            request = GetMessageClass(METHODS[method].input_type).FromString(request)
        self.requests.append(request)
        self.callers.append(caller)

    def _count(self, size: int) -> None:
        self.arrived += size
