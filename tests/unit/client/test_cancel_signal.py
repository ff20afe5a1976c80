"""The callbacks of a job's cancellation."""

from __future__ import annotations

import os
import threading
from functools import partial

from milepost.client._worker.cancel_signal import CancelSignal


def test_each_callback_runs_once() -> None:
    """In the order in which they were added; one that comes later runs at once."""
    signal, called = CancelSignal(), list[str]()
    signal.add_callback(lambda: called.append("first"))
    signal.add_callback(lambda: called.append("second"))
    signal.set()
    signal.set()
    signal.add_callback(lambda: called.append("late"))

    assert called == ["first", "second", "late"]


def test_a_removed_callback_does_not_run() -> None:
    """Of equal ones one is removed, and a callback that is not there is none to remove."""
    signal, called = CancelSignal(), list[str]()

    def callback() -> None:
        called.append("called")

    signal.add_callback(callback)
    signal.add_callback(callback)
    signal.remove_callback(callback)
    signal.set()
    signal.remove_callback(callback)

    assert called == ["called"]


def test_callbacks_that_are_added_meanwhile_run_once() -> None:
    """Whichever thread comes first."""
    for _ in range(200):
        signal, called = CancelSignal(), list[int]()
        threads = [
            threading.Thread(target=signal.add_callback, args=(partial(called.append, number),))
            for number in range(4)
        ]
        setting = threading.Thread(target=signal.set)
        for thread in (*threads[:2], setting, *threads[2:]):
            thread.start()
        for thread in (*threads, setting):
            thread.join()
        assert sorted(called) == [0, 1, 2, 3]


def test_a_callback_that_fails_keeps_none_from_running() -> None:
    """The error goes to the log."""
    signal, called = CancelSignal(), list[str]()
    signal.add_callback(lambda: os.fspath(1))  # type: ignore[call-overload]
    signal.add_callback(lambda: called.append("called"))
    signal.set()

    assert called == ["called"]
