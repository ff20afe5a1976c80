"""Detects a blocked event loop, which sends no heartbeats, so that leases expire."""

from __future__ import annotations

import asyncio
import logging
import sys
import sysconfig
import threading
import time
from types import FrameType, TracebackType
from typing import Final, Self

from milepost.client._worker.current_job import job_of
from milepost.client._worker.elapsed_text import lasted

__all__ = ["Watchdog"]

_log = logging.getLogger("milepost.client")

# Seconds between two beats of the loop, and without a beat before the first warning.
_BEAT: Final = 0.5
_BLOCKED: Final = 2.0

_LIBRARIES: Final = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))


class Watchdog:
    """Logs a warning when the running loop has been blocked for two seconds, with the job and the line that block it,
    and another one with the total when the loop runs again. A context manager.
    """

    def __init__(self, *, blocked: float = _BLOCKED) -> None:
        """`blocked`: seconds before the first warning; for tests."""
        self._blocked = blocked
        self._interval = min(_BEAT, blocked / 4)
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._timer: asyncio.TimerHandle | None = None
        self._beaten = time.monotonic()
        self._told_at = 0.0
        self._culprit = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="milepost watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._beat()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        """Run in the loop: note that it is alive, and report a block that is over."""
        now = time.monotonic()
        blocked = now - self._beaten - self._interval
        if blocked >= self._blocked:
            _log.warning(
                'the event loop was blocked for %s%s; use a plain function, or run="process"',
                lasted(blocked),
                self._culprit,
            )
        self._beaten, self._culprit = now, ""
        self._timer = self._loop.call_later(self._interval, self._beat)

    def _watch(self) -> None:
        """Run in a thread of its own: report a block while it lasts, once."""
        while not self._over.wait(self._interval):
            beaten = self._beaten
            blocked = time.monotonic() - beaten - self._interval
            if blocked >= self._blocked and beaten != self._told_at:
                self._told_at = beaten
                culprit = self._look()
                if culprit and beaten == self._beaten:  # otherwise the block has just ended
                    self._culprit = culprit
                    _log.warning("the event loop has been blocked for %s%s", lasted(blocked), culprit)

    def _look(self) -> str:
        """The job and the line that the loop is at, as far as known; empty while no task runs."""
        task = asyncio.current_task(self._loop)
        frame = sys._current_frames().get(self._loop_thread)
        if task is None or frame is None:
            return ""
        job = job_of(task)
        return f" by {f'job {job}' if job else f'the task {task.get_name()!r}'}, {_place(frame)}"


def _place(innermost: FrameType) -> str:
    """The innermost frame outside the libraries or, without one, the innermost."""
    frame: FrameType | None = innermost
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame = frame.f_back
    found = frame or innermost
    return f"in {found.f_code.co_name} ({found.f_code.co_filename}, line {found.f_lineno})"
