"""What a worker has to say on its stream: first what concerns the session, then what its jobs report, in turn."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import Protocol

from milepost.v1 import WorkRequest

__all__ = ["Outbox", "Producer"]


class Producer(Protocol):
    """Somebody who has something to say from time to time."""

    def next_request(self, now: float) -> WorkRequest | None:
        """What is to be sent next; None for nothing now."""

    def due(self, now: float) -> float | None:
        """In how many seconds to ask again; None for not before it calls."""


class Outbox:
    """Filled from any thread, emptied by the session."""

    def __init__(self) -> None:
        """For the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._messages: deque[WorkRequest] = deque()
        self._speakers: deque[Producer] = deque()
        self._event = asyncio.Event()
        self._closed = False

    def say(self, request: WorkRequest) -> None:
        """Sends this before all reports that wait."""
        self._messages.append(request)
        self._event.set()

    def call_on(self, speaker: Producer) -> None:
        """Asks the speaker for what it has to say when its turn comes. From any thread; never waits."""
        self._speakers.append(speaker)
        if threading.get_ident() == self._thread:
            self._event.set()
        else:
            with contextlib.suppress(RuntimeError):  # the loop may be gone by now
                self._loop.call_soon_threadsafe(self._event.set)

    def clear(self) -> None:
        """Forgets what waits: it was meant for a session that is over."""
        self._messages.clear()
        self._speakers.clear()

    def close(self) -> None:
        """Nothing more will come: what waits is the last."""
        self._closed = True
        self._event.set()

    async def next(self) -> WorkRequest | None:
        """What is to be sent next; None at the end."""
        while True:
            if self._messages:
                return self._messages.popleft()
            if self._speakers:
                request = self._ask(self._speakers.popleft())
                if request is not None:
                    return request
                continue
            if self._closed:
                return None
            self._event.clear()
            if not self._messages and not self._speakers:
                await self._event.wait()

    def _ask(self, speaker: Producer) -> WorkRequest | None:
        now = self._loop.time()
        request = speaker.next_request(now)
        if request is not None:
            self._speakers.append(speaker)  # there may be more, after the others had their turn
        elif (wait := speaker.due(now)) is not None:
            self._loop.call_later(wait, self.call_on, speaker)
        return request
