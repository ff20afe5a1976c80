"""The interruption of a plain handler in the main thread, here that of the tests."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from milepost.client import Cancelled, JobContext
from milepost.client._worker.handlers import Outcome
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess.interrupter import Interrupter
from milepost.v1 import Job


@pytest.fixture
def job() -> JobContext:
    """A job."""
    return JobContext(JobControl(Job(job_id="j"), Reporter(lambda: None)))


@pytest.fixture
def interruption(job: JobContext) -> Iterator[Interrupter]:
    """The interruption of that job; it handles SIGTERM during the test."""
    before = signal.getsignal(signal.SIGTERM)
    yield Interrupter(job, job._control.cancel_signal)
    signal.signal(signal.SIGTERM, before)


def interrupted(
    interruption: Interrupter, handler: Callable[[JobContext], object], begun: threading.Event
) -> Outcome:
    """Run a handler, interrupt it once it has started, and return its outcome."""
    returned = threading.Event()

    def listen() -> None:
        assert begun.wait(120)
        interruption.request()
        wait: float | None = 0.0
        while wait is not None and not returned.wait(wait):
            wait = interruption.deliver()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        return interruption.call(handler)
    finally:
        returned.set()
        thread.join()


def test_code_of_the_sdk_is_not_interrupted(interruption: Interrupter) -> None:
    """However much time a handler spends in the SDK: an interruption there would leave inconsistent state."""
    begun = threading.Event()

    def handler(job: JobContext) -> None:
        begun.set()
        while True:
            job.log("x")

    error = interrupted(interruption, handler, begun).error

    assert isinstance(error, Cancelled)
    names = []
    trace = error.__traceback__
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert names == ["handler", "_on_signal", "_raise_if_requested"]


def test_a_handler_is_interrupted_once(interruption: Interrupter, job: JobContext) -> None:
    """The handler sees the cancellation with the interruption, not before."""
    begun = threading.Event()
    seen: list[bool] = []

    def handler(job: JobContext) -> str:
        try:
            while not job.cancelled:
                begun.set()
            seen.append(False)
        except Cancelled:
            seen.append(job.cancelled)
        until = time.monotonic() + 0.05
        while time.monotonic() < until:  # time for a second interruption, which must not come
            interruption.request()
        return "cleaned up"

    assert interrupted(interruption, handler, begun).result == "cleaned up"
    assert seen == [True]


def test_a_handler_cancelled_before_its_start_does_not_run(interruption: Interrupter) -> None:
    """It raises as a started handler would."""
    interruption.request()

    assert isinstance(interruption.call(lambda job: {}).error, Cancelled)


def test_other_threads_learn_of_it_while_the_main_thread_is_elsewhere(
    interruption: Interrupter, job: JobContext
) -> None:
    """As in native code, which delays the signal."""
    begun = threading.Event()
    seen = threading.Event()

    def look() -> None:
        while not job.cancelled:
            time.sleep(0.001)
        seen.set()

    def handler(job: JobContext) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=look, daemon=True).start()
        begun.set()
        try:
            assert seen.wait(120)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    assert isinstance(interrupted(interruption, handler, begun).error, Cancelled)


def test_a_signal_may_come_just_before_a_system_call(
    interruption: Interrupter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not end the system call then, and must be sent again."""
    begun = threading.Event()
    signals: list[int] = []
    kill = signal.pthread_kill

    def pthread_kill(thread: int, number: int) -> None:
        signals.append(number)
        if len(signals) > 1:
            kill(thread, number)

    monkeypatch.setattr(signal, "pthread_kill", pthread_kill)

    def handler(job: JobContext) -> None:
        begun.set()
        threading.Event().wait(120)

    assert isinstance(interrupted(interruption, handler, begun).error, Cancelled)


def test_a_handler_of_signals_that_is_not_ours_is_called_once(interruption: Interrupter) -> None:
    """A previous handler of SIGTERM is called."""
    begun = threading.Event()
    heard: list[int] = []

    def handler(job: JobContext) -> None:
        signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
        begun.set()
        while not job.cancelled:
            time.sleep(0.001)
        time.sleep(0.02)
        job.raise_if_cancelled()

    assert isinstance(interrupted(interruption, handler, begun).error, Cancelled)
    assert heard == [signal.SIGTERM]


def test_sigterm_from_elsewhere_is_ignored(interruption: Interrupter) -> None:
    """The job was not cancelled."""

    def handler(job: JobContext) -> str:
        signal.raise_signal(signal.SIGTERM)
        return "done"

    assert interruption.call(handler).result == "done"


class _Collected:
    """Spends its end in Python code, as a callback of the garbage collector does, until that is interrupted."""

    def __init__(self, begun: threading.Event, interrupted: list[str]) -> None:
        self._begun = begun
        self._interrupted = interrupted

    def end(self, name: str) -> None:
        try:
            self._begun.set()
            while not self._interrupted:
                pass
        except Cancelled:
            self._interrupted.append(name)
            raise


class _Finalized(_Collected):
    def __del__(self) -> None:
        self.end("__del__")


@pytest.fixture
def passed_on(monkeypatch: pytest.MonkeyPatch) -> list[BaseException | None]:
    """What comes to the hook that was there before, for exceptions that Python drops."""
    errors: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: errors.append(dropped.exc_value))
    return errors


@pytest.mark.parametrize("where", ["gc callback", "__del__", "weak reference", "replaced in __del__"])
def test_dropped_interruptions_are_raised_again(
    interruption: Interrupter, job: JobContext, passed_on: list[BaseException | None], where: str
) -> None:
    """In callbacks of the garbage collector and in finalizers nothing can be raised; the handler is interrupted
    afterwards, once, and does not see the cancellation before.
    """
    begun = threading.Event()
    interrupted_in: list[str] = []
    seen_early: list[bool] = []
    collected = _Collected(begun, interrupted_in)
    reached = threading.Event()

    class Replacing(_Collected):
        def __del__(self) -> None:
            try:
                self.end(where)
            finally:
                raise ValueError("dropped in its stead")

    def reach() -> None:
        """Run the code that is to be interrupted."""
        if where == "gc callback":
            reached.set()
            # Of the youngest only: to collect all that other tests have left takes as long as native code that does not
            # respond, and then other threads learn of the cancellation first.
            gc.collect(0)
        elif where == "__del__":
            _Finalized(begun, interrupted_in)
        elif where == "replaced in __del__":
            Replacing(begun, interrupted_in)
        else:
            target = _Collected(begun, interrupted_in)
            reference = weakref.ref(target, lambda _: collected.end("weak reference"))
            del target
            assert reference() is None

    def handler(job: JobContext) -> str:
        try:
            reach()
            seen_early.append(job.cancelled)
            threading.Event().wait(120)
        except Cancelled:
            return f"cleaned up, cancelled: {job.cancelled}"
        return "not interrupted"

    def callback(phase: str, _: dict[str, int]) -> None:
        # Python may collect at any moment, in any thread: before the handler has begun nothing would interrupt this.
        if reached.is_set() and not interrupted_in and threading.current_thread() is threading.main_thread():
            collected.end(phase)

    if where == "gc callback":
        gc.callbacks.append(callback)
    try:
        outcome = interrupted(interruption, handler, begun)
    finally:
        if where == "gc callback":
            gc.callbacks.remove(callback)

    assert (outcome.result, len(interrupted_in)) == ("cleaned up, cancelled: True", 1)
    assert True not in seen_early
    assert passed_on == []


def test_other_unraisable_exceptions_are_reported(
    interruption: Interrupter, passed_on: list[BaseException | None]
) -> None:
    """By the hook that was there, which is there again once the handler has returned."""
    error = ValueError("of the handler's own")
    hook = sys.unraisablehook

    class Failing:
        def __del__(self) -> None:
            raise error

    def handler(_: JobContext) -> str:
        Failing()
        return "done"

    assert interruption.call(handler).result == "done"
    assert passed_on == [error]
    assert sys.unraisablehook is hook
