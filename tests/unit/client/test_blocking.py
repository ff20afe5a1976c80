"""Coroutines that plain code waits for, in a loop of its own or in the SDK's thread."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, NoReturn, TypeAlias

import pytest

from milepost.client import Cancelled, JobContext
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client.engines.blocking import run_blocking, run_in_sdk_thread
from milepost.v1 import Job

Run: TypeAlias = Callable[[JobContext, Coroutine[Any, Any, Any]], Any]


class Interrupted(BaseException):
    """Raised by the handler of a signal."""


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Raise in the main thread."""
    raise Interrupted


@pytest.fixture
def job() -> JobContext:
    """A job."""
    return JobContext(JobControl(Job(job_id="j"), Reporter(lambda: None)))


def callbacks(job: JobContext) -> list[Callable[[], object]]:
    """Those that its cancellation would call."""
    return list(job._control.cancel_signal._callbacks or ())


@pytest.mark.parametrize("run", [run_blocking, run_in_sdk_thread])
def test_a_call_that_has_ended_leaves_no_callback(job: JobContext, run: Run) -> None:
    """Whether it returned or raised: a job of many calls would keep all of them until its end."""

    async def work(number: int) -> float:
        return 1 / number

    assert [run(job, work(number)) for number in (1, 2)] == [1.0, 0.5]
    with pytest.raises(ZeroDivisionError):
        run(job, work(0))

    assert callbacks(job) == []


@pytest.mark.parametrize("run", [run_blocking, run_in_sdk_thread])
def test_a_cancellation_interrupts_the_coroutine(job: JobContext, run: Run) -> None:
    """It has cleaned up when the call raises `Cancelled`."""
    begun = threading.Event()
    steps: list[str] = []

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    def cancel() -> None:
        assert begun.wait(120)
        job._control.cancel_signal.set()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(Cancelled):
        run(job, work())
    steps.append("raised")
    thread.join()

    assert steps == ["cleaned up", "raised"]


@pytest.mark.parametrize("run", [run_blocking, run_in_sdk_thread])
def test_a_cancellation_interrupts_the_cleanup_after_a_timeout(job: JobContext, run: Run) -> None:
    """As any wait, though the task counts as being cancelled by the timeout: it would not be interrupted later."""
    steps: list[str] = []

    async def work() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                try:
                    await asyncio.Event().wait()
                finally:
                    job._control.cancel_signal.set()
                    await asyncio.sleep(0)  # the interrupt is scheduled before what follows
                    steps.append("cleaned up")
        steps.append("went on")

    with pytest.raises(Cancelled):
        run(job, work())

    assert steps == []


def test_a_cancellation_leaves_the_cleanup_after_a_signal(job: JobContext) -> None:
    """Both interrupt the coroutine, which is interrupted once."""
    steps: list[str] = []
    main = threading.main_thread().ident
    assert main is not None

    async def work() -> None:
        try:
            threading.Thread(target=signal.pthread_kill, args=(main, signal.SIGUSR1)).start()
            await asyncio.Event().wait()
        finally:
            job._control.cancel_signal.set()
            await asyncio.sleep(0)  # the interrupt is scheduled before what follows
            steps.append("cleaned up")

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(Interrupted):
            run_in_sdk_thread(job, work())
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert steps == ["cleaned up"]


@pytest.mark.parametrize("run", [run_blocking, run_in_sdk_thread])
def test_a_job_that_is_cancelled_already_interrupts_the_first_wait(job: JobContext, run: Run) -> None:
    """What comes before that runs, as in any task."""
    job._control.cancel_signal.set()

    async def work() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Cancelled):
        run(job, work())


@pytest.mark.parametrize("run", [run_blocking, run_in_sdk_thread])
def test_what_a_signal_raises_waits_for_the_coroutine(job: JobContext, run: Run) -> None:
    """The coroutine is interrupted once, and has cleaned up before the exception leaves the call."""
    steps: list[str] = []
    main = threading.main_thread().ident
    assert main is not None

    async def work() -> None:
        try:
            threading.Thread(target=signal.pthread_kill, args=(main, signal.SIGUSR1)).start()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(Interrupted):
            run(job, work())
    finally:
        signal.signal(signal.SIGUSR1, before)
    steps.append("raised")

    assert steps == ["cleaned up", "raised"]
    assert callbacks(job) == []


@pytest.mark.parametrize("run", [run_blocking, run_in_sdk_thread])
async def test_an_event_loop_is_not_blocked(job: JobContext, run: Run) -> None:
    """Its thread would wait for itself, or for another one while its own tasks stand still."""

    async def work() -> None:
        raise AssertionError

    with pytest.raises(RuntimeError, match="event loop"):
        run(job, work())


def test_plain_functions_share_one_event_loop(job: JobContext) -> None:
    """Of several loops each is woken for the events of all."""

    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    loops: list[asyncio.AbstractEventLoop] = [run_in_sdk_thread(job, loop())]
    thread = threading.Thread(target=lambda: loops.append(run_in_sdk_thread(job, loop())))
    thread.start()
    thread.join()

    assert len(loops) == 2
    assert loops[0] is loops[1]
