"""The queue of messages that a worker sends: those of the session first, then the reports of its jobs, round robin."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import Protocol

from milepost.v1 import WorkRequest

__all__ = ["Producer", "SendQueue"]


class Producer(Protocol):
    """A source of requests that the queue polls, so that each request is built only when it can be sent."""

    def next_request(self, now: float) -> WorkRequest | None:
        """The next request to send, or None if there is none now."""

    def due(self, now: float) -> float | None:
        """Seconds until the queue polls again; None to wait until the producer is scheduled."""


class SendQueue:
    """Messages of the session, and producers to poll. Filled from any thread, consumed by the session."""

    def __init__(self) -> None:
        """Bind to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._messages: deque[WorkRequest] = deque()
        self._producers: deque[Producer] = deque()
        # At most one each: a producer is polled after each acknowledgement, and would be again for each of these.
        self._timers: dict[Producer, asyncio.TimerHandle] = {}
        self._changed = asyncio.Event()
        self._closed = False

    def enqueue(self, request: WorkRequest) -> None:
        """Append a message of the session; it overtakes all reports."""
        self._messages.append(request)
        self._changed.set()

    def schedule(self, producer: Producer) -> None:
        """Append a producer to those that are polled. From any thread; never waits."""
        self._producers.append(producer)
        if threading.get_ident() == self._thread:
            self._changed.set()
        else:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                self._loop.call_soon_threadsafe(self._changed.set)

    def clear(self) -> None:
        """Discard everything that was queued for the previous session."""
        self._messages.clear()
        self._producers.clear()

    def close(self) -> None:
        """End the queue: `next` returns what is left, and then None."""
        self._closed = True
        self._changed.set()

    def reopen(self) -> None:
        """Let a queue that was closed be used again."""
        self._closed = False

    async def next(self) -> WorkRequest | None:
        """The next request to send; None once the queue is closed and empty."""
        while True:
            if self._messages:
                return self._messages.popleft()
            if self._producers:
                request = self._poll(self._producers.popleft())
                if request is not None:
                    return request
                continue
            if self._closed:
                return None
            self._changed.clear()
            if not self._messages and not self._producers:
                await self._changed.wait()

    def _poll(self, producer: Producer) -> WorkRequest | None:
        now = self._loop.time()
        request = producer.next_request(now)
        if request is not None:
            self._producers.append(producer)  # it may have more requests; the others go first
        elif producer not in self._timers and (wait := producer.due(now)) is not None:
            self._timers[producer] = self._loop.call_later(wait, self._schedule_due, producer)
        return request

    def _schedule_due(self, producer: Producer) -> None:
        del self._timers[producer]
        self.schedule(producer)
