"""Interrupts the handler of a handler process."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Final

from milepost.client._worker.cancel_signal import Cancelled, CancelSignal
from milepost.client._worker.handlers import Outcome
from milepost.client._worker.job_context import JobContext

__all__ = ["Interrupter"]

# Seconds between two attempts to interrupt a plain handler: at first, and at most.
_RETRY_INTERVAL: Final = 0.005
_RETRY_INTERVAL_MAX: Final = 0.25
# Seconds until `cancelled` is set for the other threads of a plain handler whose main thread does not respond.
_RESPONSE_TIMEOUT: Final = 0.05
# Modules of the SDK, which are not interrupted: they would be left in an inconsistent state.
_SDK_PREFIX: Final = "milepost.client._worker."


class Interrupter:
    """Raises `Cancelled` in the handler once: in a plain one wherever it is, in an async one at its next await.

    Signals reach the main thread and interrupt its system calls. So the process interrupts a plain handler by sending
    itself SIGTERM. It ignores SIGTERM from elsewhere: when a service manager stops all processes, the worker decides
    about its jobs.

    Attributes:
        requested: Whether the handler is to stop.
    """

    def __init__(self, context: JobContext, cancel_signal: CancelSignal) -> None:
        """Install the signal handler; in the main thread."""
        self.requested = False
        self._context = context
        self._cancel_signal = cancel_signal
        self._armed = self._raised = self._deferred = False
        self._cancel: Callable[[], object] | None = None
        self._requested_at = 0.0
        self._retry_interval = _RETRY_INTERVAL
        signal.signal(signal.SIGTERM, self._on_signal)

    def call(self, handler: Callable[[JobContext], object]) -> Outcome:
        """Run a plain handler."""
        try:
            try:
                self._armed = True
                self._raise_if_requested()
                return Outcome(result=handler(self._context))
            finally:
                self._armed = False
        except BaseException as error:  # noqa: BLE001 - any exception is the outcome
            return Outcome.raised(error)

    async def wait_for(self, handler: Callable[[JobContext], Awaitable[object]]) -> Outcome:
        """Run an async handler."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(handler(self._context))

        def cancel() -> None:
            if not self._raised:
                self._raised = True
                self._cancel_signal.mark()
                task.cancel()

        self._cancel = lambda: loop.call_soon_threadsafe(cancel)
        if self.requested:
            cancel()
        try:
            return Outcome(result=await task)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - as above
            return Outcome.raised(error)

    def request(self) -> None:
        """Request that the handler stops; from another thread, which then calls `deliver`."""
        self._requested_at = time.monotonic()
        self.requested = True
        if self._cancel is not None:
            self._cancel()
        elif self._armed:
            self._send_signal()

    def deliver(self) -> float | None:
        """Interrupt a plain handler; the seconds until the next call, or None if none is needed."""
        if not self._armed or not self.requested or self._raised:
            return None
        if self._deferred:
            self._deferred = False
            self._retry_interval = _RETRY_INTERVAL
        elif time.monotonic() - self._requested_at > _RESPONSE_TIMEOUT:
            # Its main thread is in native code, and raises as soon as that returns.
            self._cancel_signal.mark()
        if signal.getsignal(signal.SIGTERM) == self._on_signal:
            # Resend: a signal that arrives just before a system call takes effect only after that.
            self._send_signal()
        self._retry_interval = min(2 * self._retry_interval, _RETRY_INTERVAL_MAX)
        return self._retry_interval

    def _send_signal(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGTERM)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._armed or not self.requested or self._raised:
            return
        if self._is_in_sdk(frame):
            self._deferred = True
        else:
            self._raise_if_requested()

    def _raise_if_requested(self) -> None:
        if self.requested:
            # Not earlier: the handler could see it and be interrupted in its cleanup.
            self._raised = True
            self._cancel_signal.mark()
            raise Cancelled

    def _is_in_sdk(self, frame: FrameType | None) -> bool:
        while frame is not None and frame.f_code is not Interrupter.call.__code__:
            if str(frame.f_globals.get("__name__")).startswith(_SDK_PREFIX):
                return True
            frame = frame.f_back
        return False
