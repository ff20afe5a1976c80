"""Signals that raise exceptions in tasks, kept from the code that claims and ends their jobs."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from billiard.common import TERM_SIGNAL

__all__ = ["DeferredSignals"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

# Those whose handlers raise, Celery's or an application's. What ends the process goes before the soft time limit.
_NAMES: Final = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1")
# REMAP_SIGTERM may name another one.
_NUMBERS: Final = dict.fromkeys(
    (TERM_SIGNAL, *(getattr(signal, name) for name in _NAMES if hasattr(signal, name)))
)


class DeferredSignals:
    """A block of code in which signals wait until its end, except in the calls of `interruptible`.

    A handler of Python's may raise at any bytecode, and so between a claim and the ``try`` that ends it, or while an
    end is being reported, which would leave the job RUNNING. Blocking the signals in the main thread does not help:
    another thread takes them, and the main thread runs their handlers all the same.

    Outside of the main thread, where no handler runs, the block changes nothing.
    """

    def __init__(self) -> None:
        # The handlers of before, while there are those of this block.
        self._handlers: dict[int, Any] = {}
        self._waiting: set[int] = set()
        self._interruptible: FrameType | None = None
        self._has_ended = False

    def interruptible(
        self, call: Callable[_Parameters, _Result], /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Call code that signals may interrupt, beginning with those that have waited."""
        self._interruptible = sys._getframe()
        try:
            self._deliver()
            return call(*args, **kwargs)
        finally:
            self._interruptible = None  # a cycle would keep all that the frame has

    def discard(self, number: int) -> bool:
        """Forget a signal that waits; whether one did."""
        was_waiting = number in self._waiting
        self._waiting.discard(number)
        return was_waiting

    # Private.

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._has_ended or self._is_interruptible(frame):
            self._pass_on(number, frame)
        else:
            self._waiting.add(number)

    def _is_interruptible(self, frame: FrameType | None) -> bool:
        while frame is not None and frame is not self._interruptible:
            frame = frame.f_back
        return frame is not None

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """Have the handler of before handle the signal, and take the place of the one that it leaves for the next.

        That of Celery leaves the default, by which a second signal would end the process while it reports. A handler
        that the task has installed keeps its place, and may have called this one.
        """
        handler = self._handlers[number]
        is_installed = self._is_installed(number)
        if is_installed or not callable(handler):
            signal.signal(number, handler)
        try:
            if callable(handler):
                handler(number, frame)
            else:
                signal.raise_signal(number)
        finally:
            if is_installed and not self._has_ended:
                self._handlers[number] = signal.signal(number, self._receive)

    def _deliver(self) -> None:
        for number in _NUMBERS:
            if self.discard(number):
                self._pass_on(number, sys._getframe())

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        try:
            for number in _NUMBERS:
                handler = signal.getsignal(number)
                if callable(handler):  # others raise nothing
                    self._handlers[number] = handler
                    signal.signal(number, self._receive)
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._restore()
        finally:
            self._deliver()

    def _restore(self) -> None:
        self._has_ended = True  # a signal may raise before each handler is restored
        for number, handler in self._handlers.items():
            if self._is_installed(number):  # else the task has installed its own
                signal.signal(number, handler)

    def _is_installed(self, number: int) -> bool:
        return signal.getsignal(number) == self._receive
