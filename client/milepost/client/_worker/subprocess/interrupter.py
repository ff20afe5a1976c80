"""Interrupts the handler of a handler process."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
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

    Python drops what is raised in a callback of the garbage collector or of a weak reference, and in ``__del__``. It
    tells `sys.unraisablehook`, which is how the process learns that it has to interrupt the handler again.

    Attributes:
        requested: Whether the handler is to stop.
    """

    def __init__(self, context: JobContext, cancel_signal: CancelSignal) -> None:
        """Install the signal handler; in the main thread."""
        self.requested = False
        self._context = context
        self._cancel_signal = cancel_signal
        self._armed = self._deferred = False
        # What was raised in a plain handler, and whether `cancelled` was set before.
        self._raised: Cancelled | None = None
        self._was_marked = False
        self._unraisable_hook = sys.unraisablehook
        self._cancel: Callable[[], object] | None = None
        self._requested_at = 0.0
        self._retry_interval = _RETRY_INTERVAL
        signal.signal(signal.SIGTERM, self._on_signal)

    def call(self, handler: Callable[[JobContext], object]) -> Outcome:
        """Run a plain handler."""
        try:
            self._unraisable_hook, sys.unraisablehook = sys.unraisablehook, self._on_unraisable
            try:
                self._armed = True
                self._raise_if_requested()
                return Outcome(result=handler(self._context))
            finally:
                self._armed = False
                if sys.unraisablehook == self._on_unraisable:
                    sys.unraisablehook = self._unraisable_hook
        except BaseException as error:  # noqa: BLE001 - any exception is the outcome
            return Outcome.raised(error)

    async def wait_for(self, handler: Callable[[JobContext], Awaitable[object]]) -> Outcome:
        """Run an async handler."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(handler(self._context))
        is_cancelled = False

        def cancel() -> None:
            nonlocal is_cancelled
            if not is_cancelled:
                is_cancelled = True
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
        if not self._armed or not self.requested:
            return None
        if self._raised is not None:
            return _RETRY_INTERVAL_MAX  # in case Python drops it
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
        if not self._armed or not self.requested or self._raised is not None:
            return
        if self._is_in_sdk(frame):
            self._deferred = True
        else:
            self._raise_if_requested()

    def _raise_if_requested(self) -> None:
        if self.requested:
            self._raised, self._was_marked = Cancelled(), self._cancel_signal.is_set
            # Not earlier: the handler could see it and be interrupted in its cleanup.
            self._cancel_signal.mark()
            raise self._raised

    def _on_unraisable(self, dropped: sys.UnraisableHookArgs) -> None:
        """Interrupt the handler again where Python has dropped what was raised; `deliver` does so soon."""
        if not self._armed or self._raised is None or self._raised not in _chain(dropped.exc_value):
            self._unraisable_hook(dropped)
            return
        if not self._was_marked:
            self._cancel_signal.unmark()
        self._requested_at = time.monotonic()
        self._retry_interval = _RETRY_INTERVAL
        self._raised = None

    def _is_in_sdk(self, frame: FrameType | None) -> bool:
        while frame is not None and frame.f_code is not Interrupter.call.__code__:
            if str(frame.f_globals.get("__name__")).startswith(_SDK_PREFIX):
                return True
            frame = frame.f_back
        return False


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those during whose handling it was raised."""
    while error is not None:
        yield error
        error = error.__context__
