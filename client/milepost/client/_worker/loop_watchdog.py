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

from milepost.client._worker.current_job import job_id_of
from milepost.client._worker.elapsed_text import elapsed_text

__all__ = ["LoopWatchdog"]

_logger = logging.getLogger("milepost.client")

# Seconds between two beats of the loop, and without a beat until the first warning.
_BEAT_INTERVAL: Final = 0.5
_BLOCKED_TIMEOUT: Final = 2.0

_LIBRARIES: Final = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))


class LoopWatchdog:
    """Logs a warning when the running loop has been blocked for two seconds, with the job and the line that block it,
    and another one with the total when the loop runs again. A context manager.
    """

    def __init__(self, *, blocked: float = _BLOCKED_TIMEOUT) -> None:
        """`blocked`: seconds until the first warning; for tests."""
        self._blocked = blocked
        self._interval = min(_BEAT_INTERVAL, blocked / 4)
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._timer: asyncio.TimerHandle | None = None
        self._last_beat = time.monotonic()
        self._warned_at = 0.0
        self._culprit = ""
        self._stopped = threading.Event()
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
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        """Runs in the loop: record that it is alive, and log a block that is over."""
        now = time.monotonic()
        blocked = now - self._last_beat - self._interval
        if blocked >= self._blocked:
            _logger.warning(
                'the event loop was blocked for %s%s; use a plain function, or run="process"',
                elapsed_text(blocked),
                self._culprit,
            )
        self._last_beat, self._culprit = now, ""
        self._timer = self._loop.call_later(self._interval, self._beat)

    def _watch(self) -> None:
        """Runs in a thread of its own: log a block once while it lasts."""
        while not self._stopped.wait(self._interval):
            last_beat = self._last_beat
            blocked = time.monotonic() - last_beat - self._interval
            if blocked >= self._blocked and last_beat != self._warned_at:
                self._warned_at = last_beat
                culprit = self._find_culprit()
                if culprit and last_beat == self._last_beat:  # otherwise the block has just ended
                    self._culprit = culprit
                    _logger.warning(
                        "the event loop has been blocked for %s%s", elapsed_text(blocked), culprit
                    )

    def _find_culprit(self) -> str:
        """The job and the line that the loop executes, as far as known; empty while no task runs."""
        task = asyncio.current_task(self._loop)
        frame = sys._current_frames().get(self._loop_thread)
        if task is None or frame is None:
            return ""
        job = job_id_of(task)
        return f" by {f'job {job}' if job else f'the task {task.get_name()!r}'}, {_place(frame)}"


def _place(innermost: FrameType) -> str:
    """The innermost frame outside the libraries or, without one, the innermost."""
    frame: FrameType | None = innermost
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame = frame.f_back
    found = frame or innermost
    return f"in {found.f_code.co_name} ({found.f_code.co_filename}, line {found.f_lineno})"
