"""Signals that wait while Celery's tasks are claimed and their ends are reported."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

import pytest

from milepost.client.engines.celery.deferred_signals import DeferredSignals

# Its handler is that of Celery's processes, which lets a second signal end them. It has another thread, as they have.
ENDED_TWICE = """
import os, signal, sys, threading
from milepost.client.engines.celery.deferred_signals import DeferredSignals


def handle(number, frame):
    signal.signal(number, signal.SIG_DFL)
    sys.exit(1)


def run():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(120)
    finally:
        print("cleaned up", flush=True)


signal.signal(signal.SIGTERM, handle)
threading.Thread(target=threading.Event().wait, daemon=True).start()
with DeferredSignals() as signals:
    try:
        signals.interruptible(run)
    except SystemExit:
        os.kill(os.getpid(), signal.SIGTERM)
        print("reported", flush=True)
        raise
"""


class Signalled(BaseException):
    """Raised by a handler; its argument is the signal's number."""


def fail(number: int, frame: FrameType | None) -> NoReturn:
    """Raise in the main thread."""
    raise Signalled(number)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Two signals whose handlers raise."""
    numbers = (signal.SIGTERM, signal.SIGUSR1)
    before = [signal.signal(number, fail) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def caught(call: Callable[[], object]) -> tuple[object, ...]:
    """The arguments of what the call raises; none if it raises nothing."""
    try:
        call()
    except Signalled as error:
        return error.args
    return ()


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    """It raises there, and later ones at once: the handlers are those of before."""
    reported = False

    def run() -> None:
        nonlocal reported
        with DeferredSignals():
            signal.raise_signal(signal.SIGTERM)
            reported = True

    assert (caught(run), reported) == ((signal.SIGTERM,), True)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)] == [fail, fail]


def test_a_signal_interrupts_what_it_may() -> None:
    """One that has waited does so where that begins, and is not raised again."""
    with DeferredSignals() as signals:
        assert caught(lambda: signals.interruptible(signal.raise_signal, signal.SIGUSR1)) == (signal.SIGUSR1,)
        signal.raise_signal(signal.SIGUSR1)
        assert caught(lambda: signals.interruptible(print, "not reached")) == (signal.SIGUSR1,)
        assert signals.interruptible(max, 1, 2) == 2


def test_a_signal_may_be_discarded() -> None:
    """What waits is forgotten, and nothing else."""
    with DeferredSignals() as signals:
        signal.raise_signal(signal.SIGUSR1)
        assert [signals.discard(number) for number in (signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM)] == [
            True,
            False,
            False,
        ]


def test_a_signal_that_ends_the_process_goes_first() -> None:
    """Of two that wait one can raise: SystemExit, rather than what the task might have caught."""

    def run() -> None:
        with DeferredSignals():
            signal.raise_signal(signal.SIGUSR1)
            signal.raise_signal(signal.SIGTERM)

    assert caught(run) == (signal.SIGTERM,)


def test_a_block_within_an_interruptible_call_has_its_own() -> None:
    """As of a task that runs another one itself: what waits for the inner one interrupts the outer task."""
    steps: list[str] = []

    def outer() -> None:
        with DeferredSignals() as inner:
            signal.raise_signal(signal.SIGUSR1)
            steps.append("inner claimed")
            assert caught(lambda: inner.interruptible(steps.append, "not reached")) == (signal.SIGUSR1,)
            signal.raise_signal(signal.SIGTERM)
            steps.append("inner reported")
        steps.append("not reached")

    with DeferredSignals() as signals:
        assert caught(lambda: signals.interruptible(outer)) == (signal.SIGTERM,)
        signal.raise_signal(signal.SIGUSR1)
        steps.append("outer reported")
        assert signals.discard(signal.SIGUSR1)

    assert steps == ["inner claimed", "inner reported", "outer reported"]


def test_a_handler_that_the_task_has_installed_stays() -> None:
    """After the block, too, and also once it has called the one that it replaced, as such handlers do."""
    seen: list[int] = []

    def run() -> None:
        previous = signal.getsignal(signal.SIGTERM)
        assert callable(previous)

        def handle(number: int, frame: FrameType | None) -> None:
            seen.append(number)
            previous(number, frame)

        installed.append(handle)
        signal.signal(signal.SIGTERM, handle)
        assert caught(lambda: signal.raise_signal(signal.SIGTERM)) == (signal.SIGTERM,)
        current.append(signal.getsignal(signal.SIGTERM))

    installed: list[object] = []
    current: list[object] = []
    with DeferredSignals() as signals:
        signals.interruptible(run)
    current.append(signal.getsignal(signal.SIGTERM))
    assert caught(lambda: signal.raise_signal(signal.SIGTERM)) == (signal.SIGTERM,)
    current.append(signal.getsignal(signal.SIGTERM))

    assert current == installed * 3
    assert seen == [signal.SIGTERM] * 2
    assert signal.getsignal(signal.SIGUSR1) == fail


def test_another_thread_changes_no_handler() -> None:
    """Python runs handlers in the main thread only."""
    seen: list[object] = []

    def run() -> None:
        with DeferredSignals() as signals:
            seen.append(signal.getsignal(signal.SIGTERM))
            seen.append(signals.interruptible(lambda: "done"))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == [fail, "done"]


def test_a_second_signal_ends_the_process_after_the_block() -> None:
    """As in a cold shutdown of Celery, which sends SIGTERM twice: the first one's cleanup is reported."""
    done = subprocess.run(
        [sys.executable, "-c", ENDED_TWICE], capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.stdout.split("\n"), done.returncode) == (["cleaned up", "reported", ""], -signal.SIGTERM)
