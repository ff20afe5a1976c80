"""How a plain handler that has the main thread to itself is interrupted, in the main thread of the tests."""

from __future__ import annotations

import signal
import threading
import time
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
    """Of that job. It takes SIGTERM for as long as the test lasts."""
    before = signal.getsignal(signal.SIGTERM)
    yield Interrupter(job, job._control.cancel_signal)
    signal.signal(signal.SIGTERM, before)


def interrupted(
    interruption: Interrupter, handler: Callable[[JobContext], object], begun: threading.Event
) -> Outcome:
    """What becomes of a handler that is interrupted once it has begun, and is seen to as it is in a process."""
    returned = threading.Event()

    def listen() -> None:
        assert begun.wait(30)
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


def test_it_is_never_in_the_midst_of_the_sdk(interruption: Interrupter) -> None:
    """However much of the time a handler is there: what it leaves half done would be wrong from then on."""
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
    """And sees that it is to stop when it is interrupted, not before."""
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
        while time.monotonic() < until:  # in which it would come again
            interruption.request()
        return "cleaned up"

    assert interrupted(interruption, handler, begun).result == "cleaned up"
    assert seen == [True]


def test_one_that_was_to_stop_before_does_not_begin(interruption: Interrupter) -> None:
    """It has raised, as one that has begun would."""
    interruption.request()

    assert isinstance(interruption.call(lambda job: {}).error, Cancelled)


def test_other_threads_learn_of_it_while_the_main_thread_is_elsewhere(
    interruption: Interrupter, job: JobContext
) -> None:
    """As in native code; here it keeps the signal waiting."""
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
            assert seen.wait(30)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    assert isinstance(interrupted(interruption, handler, begun).error, Cancelled)


def test_a_signal_may_come_just_before_a_system_call(
    interruption: Interrupter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it does not end that: it has to be sent again."""
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
        threading.Event().wait(30)

    assert isinstance(interrupted(interruption, handler, begun).error, Cancelled)


def test_a_handler_of_signals_that_is_not_ours_is_called_once(interruption: Interrupter) -> None:
    """The job's own has its own way to stop."""
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


def test_sigterm_from_elsewhere_is_passed_over(interruption: Interrupter) -> None:
    """Nobody has asked for the job to stop."""

    def handler(job: JobContext) -> str:
        signal.raise_signal(signal.SIGTERM)
        return "done"

    assert interruption.call(handler).result == "done"
