"""A seed determines a run: it is the same each time, on every machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid

from tests.simulation.world import run

_SEEDS = range(12)


def test_the_same_seed_gives_the_same_trace() -> None:
    """The traces are equal to the microsecond; another seed has another trace."""
    traces = [run(seed).record.trace for seed in _SEEDS]

    assert traces == [run(seed).record.trace for seed in _SEEDS]
    assert len(_SEEDS) == len({tuple(trace) for trace in traces})


def test_the_trace_is_the_same_in_another_process() -> None:
    """In another process, with other object addresses and hash seeds."""
    printed = {
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", *map(str, _SEEDS)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1", "2")
    }

    (only,) = printed
    assert [line for seed in _SEEDS for line in (f"=== {seed}", *run(seed).record.trace)] == only.splitlines()


def test_other_threads_have_their_own_randomness() -> None:
    """As those of what earlier tests have left running in this process."""
    alone = run(3).record.trace
    over = threading.Event()

    def draw() -> None:
        while not over.is_set():
            uuid.uuid4()

    drawing = threading.Thread(target=draw)
    drawing.start()
    try:
        beside = run(3).record.trace
    finally:
        over.set()
        drawing.join()
    assert beside == alone
