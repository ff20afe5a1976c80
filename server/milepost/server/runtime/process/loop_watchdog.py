"""Detect passes that block the event loop, and log which code did.

While a pass of the loop runs, the server answers nobody. The loop waits for what arrives in a selector, so a selector
that notes when it returns and when it is called again measures each pass. What runs in a long pass is sampled by a
thread, which a computation in C may keep waiting; then it stays unknown.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading
import time
from types import FrameType
from typing import Final

import structlog

from milepost.server.runtime.process.bounded_selector import BoundedEventLoop, BoundedSelector
from milepost.server.scheduling.loop_lag import LONG_PASS_TIME, LoopLag

_logger = structlog.get_logger("milepost.loop")

# Seconds of a pass that need no closer look.
_SHORT_PASS: Final = 0.001

# Seconds for which a reading of the thread's processor time is used again. It is a system call of 2 µs, and an event of
# a watched job takes six passes. The processor time of a long pass is too high by that at most.
_CPU_INTERVAL: Final = LONG_PASS_TIME / 4

# Seconds for which a busy loop does not ask again what has arrived.
_POLL_INTERVAL: Final = 0.0002

# Minimum seconds between two lines in the log; the line says how many passes had none, and how long they took at most.
_LOG_INTERVAL: Final = 1.0

# Times that interval, at most, while lines follow one another as soon as they may: each doubles it. The loop of a busy
# machine is blocked again and again, by what others have the processor for.
_STRETCH_LIMIT: Final = 64

# Seconds between two looks of the thread at the loop: while that is busy, and at most, while it waits.
_SAMPLE_INTERVAL: Final = LONG_PASS_TIME / 2
_LOOK_INTERVAL_LIMIT: Final = 0.16

# Functions that a line in the log names, at most, and where those are that run the loop.
_NAMES_LIMIT: Final = 5
_MAIN: Final = "milepost.server.cli."


class LoopWatchdog:
    """Measures the passes of one event loop: make that by ``new_event_loop``, then ``start``; ``stop`` at the end.

    ``lag`` counts the passes, and the log has a line where one takes longer than ``limit`` seconds.
    """

    def __init__(self, lag: LoopLag, limit: float = LONG_PASS_TIME) -> None:
        self._lag = lag
        self._limit = limit
        self._selector = _TimedSelector(self, lag)
        self._thread_id = threading.get_ident()
        self._stopped = threading.Event()
        self._sampling = threading.Thread(target=self._sample, name="loop-watchdog", daemon=True)
        # The beginning of the pass that was sampled last, and what ran in it.
        self._sample_of = 0.0
        self._sampled = ""
        self._logged_at = -_LOG_INTERVAL
        self._stretch = 1
        self._not_logged: list[float] = []

    @property
    def has_sampled(self) -> bool:
        """Whether the current pass was sampled."""
        return self._sample_of == self._selector.began != 0.0

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Make the event loop, once, to be run by this thread."""
        return BoundedEventLoop(self._selector)

    def start(self) -> None:
        """Begin to count and to log. What the loop waits for by now are the server's own files."""
        _make_frame_objects(sys._getframe())
        self._selector.own_registered()
        self._selector.begin_pass()
        self._selector.is_counting = True
        self._sampling.start()

    def stop(self) -> None:
        """Count and log no more."""
        self._selector.is_counting = False
        self._stopped.set()

    def on_pass(self, began: float, cpu_began: float) -> None:
        """Count the pass that ends now, whose duration is not negligible."""
        now = time.perf_counter()
        duration = now - began
        # The processor time of a pass is at most its duration, so only long passes need it.
        is_long = duration > min(self._limit, self._lag.longest_cpu)
        cpu = min(time.thread_time() - cpu_began, duration) if is_long else 0.0
        self._lag.count(duration, cpu)
        if duration > self._limit:
            self._say(now, began, duration, cpu)

    def _say(self, now: float, began: float, duration: float, cpu: float) -> None:
        interval, since = _LOG_INTERVAL * self._stretch, now - self._logged_at
        if since < interval:
            self._not_logged.append(duration)
            return
        self._stretch = min(2 * self._stretch, _STRETCH_LIMIT) if since < 2 * interval else 1
        _logger.info(
            "event loop blocked",
            milliseconds=round(1e3 * duration, 1),
            cpu_milliseconds=round(1e3 * cpu, 1),
            **({"by": self._sampled} if self._sample_of == began else {}),
            **self._of_not_logged(),
        )
        self._logged_at, self._not_logged = now, []

    def _of_not_logged(self) -> dict[str, float]:
        if not self._not_logged:
            return {}
        return {
            "not_logged": len(self._not_logged),
            "longest_not_logged": round(1e3 * max(self._not_logged), 1),
        }

    def _sample(self) -> None:
        """Sample what the loop runs, on a thread of its own."""
        wait = _SAMPLE_INTERVAL
        while not self._stopped.wait(wait):
            began = self._selector.began
            if began and time.perf_counter() - began >= _SAMPLE_INTERVAL and began != self._sample_of:
                self._sampled = _functions(sys._current_frames().get(self._thread_id))
                self._sample_of = began
            wait = _SAMPLE_INTERVAL if began else min(2 * wait, _LOOK_INTERVAL_LIMIT)


class _TimedSelector(BoundedSelector):
    """A selector that notes when the loop goes on after it: ``began``; 0 while the loop waits.

    Where the loop has callbacks to run anyway, it asks again only after ``_POLL_INTERVAL``: half of the passes of an
    event that is reported and shown only run what the pass before has scheduled.
    """

    def __init__(self, watchdog: LoopWatchdog, lag: LoopLag) -> None:
        super().__init__()
        self._watchdog = watchdog
        self._lag = lag
        self.is_counting = False
        self._wait = super().select
        # The processor time of the thread, and when it was read.
        self._cpu = self._cpu_read_at = 0.0
        self.began = 0.0
        self._asked_at = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See ``selectors.BaseSelector``."""
        began, self.began = self.began, 0.0
        ended = time.perf_counter()
        if self.is_counting:
            if ended - began <= _SHORT_PASS:
                self._lag.short += 1
            else:
                self._watchdog.on_pass(began, self._cpu)
        if timeout == 0 and ended - self._asked_at < _POLL_INTERVAL:
            self.began = ended
            return []
        ready = self._wait(timeout)
        self._asked_at = now = time.perf_counter()
        if now - self._cpu_read_at > _CPU_INTERVAL:
            self._cpu, self._cpu_read_at = time.thread_time(), now
        self.began = now
        return ready

    def begin_pass(self) -> None:
        """Measure the pass from now on."""
        self._cpu, self._cpu_read_at = time.thread_time(), time.perf_counter()
        self.began = self._cpu_read_at


def _make_frame_objects(frame: FrameType | None) -> None:
    """Have Python make the objects of all running frames now, where the first sample would.

    Those of the frames that run the loop last until its end. Made during a surge, they held an arena of Python's.
    """
    while frame is not None:
        frame = frame.f_back


def _functions(frame: FrameType | None) -> str:
    """The server's functions that run, innermost last."""
    names: list[str] = []
    while frame is not None and len(names) < _NAMES_LIMIT:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("milepost.server.") and not module.startswith(_MAIN):
            names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return " > ".join(reversed(names))
