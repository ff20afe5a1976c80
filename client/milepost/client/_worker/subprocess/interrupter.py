"""How a handler that has a process to itself is made to stop."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Final

from milepost.client._worker.handlers import Outcome
from milepost.client._worker.job_context import Cancelled, JobContext

__all__ = ["Interruption"]

# Seconds between two looks whether a plain handler has been interrupted: at first, and at the most.
_LOOK: Final = 0.005
_LOOK_MOST: Final = 0.25
# Seconds after which other threads of a plain handler learn that it is to stop, if its main thread does not.
_ELSEWHERE: Final = 0.05
# The SDK's own code, which is not interrupted: it is brief, and would leave half of what it does.
_OWN: Final = "milepost.client._worker."


class Interruption:
    """Has the handler raise, once: a plain one wherever it is, an async one at its next await.

    Signals come to the main thread, and end what it waits for. So a plain handler is interrupted by SIGTERM, which this
    process sends itself. SIGTERM from elsewhere is passed over: where all processes of a service are told to stop, it
    is the worker's to say what becomes of its jobs.

    Attributes:
        requested: Whether the handler is to stop.
    """

    def __init__(self, context: JobContext) -> None:
        """For the main thread."""
        self.requested = False
        self._context = context
        self._armed = self._thrown = self._put_off = False
        self._cancel: Callable[[], object] | None = None
        self._since = 0.0
        self._look = _LOOK
        signal.signal(signal.SIGTERM, self._on_signal)

    def call(self, handler: Callable[[JobContext], object]) -> Outcome:
        """Runs a plain handler."""
        try:
            try:
                self._armed = True
                self._raise_if_requested()
                return Outcome(result=handler(self._context))
            finally:
                self._armed = False
        except BaseException as error:  # noqa: BLE001 - whatever it raises is its outcome
            return Outcome.of(error)

    async def wait_for(self, handler: Callable[[JobContext], Awaitable[object]]) -> Outcome:
        """Runs an async handler."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(handler(self._context))

        def cancel() -> None:
            if not self._thrown:
                self._thrown = self._context.cancelled = True
                task.cancel()

        self._cancel = lambda: loop.call_soon_threadsafe(cancel)
        if self.requested:
            cancel()
        try:
            return Outcome(result=await task)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - as above
            return Outcome.of(error)

    def request(self) -> None:
        """The handler is to stop. From another thread, which then calls `press`."""
        self._since = time.monotonic()
        self.requested = True
        if self._cancel is not None:
            self._cancel()
        elif self._armed:
            self._signal()

    def press(self) -> float | None:
        """Sees to it that a plain handler is interrupted; in how many seconds to call this again, or None."""
        if not self._armed or not self.requested or self._thrown:
            return None
        if self._put_off:
            self._put_off = False
            self._look = _LOOK
        elif time.monotonic() - self._since > _ELSEWHERE:
            # Its main thread is within native code, and will raise as soon as it is back.
            self._context.cancelled = True
        if signal.getsignal(signal.SIGTERM) == self._on_signal:
            # Again, since one that comes just before a system call is not seen until that returns.
            self._signal()
        self._look = min(2 * self._look, _LOOK_MOST)
        return self._look

    def _signal(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGTERM)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._armed or not self.requested or self._thrown:
            return
        if self._is_own(frame):
            self._put_off = True
        else:
            self._raise_if_requested()

    def _raise_if_requested(self) -> None:
        if self.requested:
            # Only now, so that the handler does not see it and begin to clean up just before it is interrupted.
            self._thrown = self._context.cancelled = True
            raise Cancelled

    def _is_own(self, frame: FrameType | None) -> bool:
        while frame is not None and frame.f_code is not Interruption.call.__code__:
            if str(frame.f_globals.get("__name__")).startswith(_OWN):
                return True
            frame = frame.f_back
        return False
