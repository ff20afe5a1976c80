"""What the tests of bars have in common: a job that listens, and scenarios that are run with tqdm and the drop-in."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from milepost.client import JobContext
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.v1 import Job, StageState, Update


class Listener:
    """A job that is at hand, and what was said of it."""

    def __init__(self) -> None:
        self._now = 0.0
        self.reporter = Reporter(lambda: None)
        self.job = JobContext(JobControl(Job(job_id="j", kind="k", attempt=1), self.reporter))

    def said(self) -> list[Update]:
        """What was said since the last time, with the progress that waits."""
        updates = []
        self._now += 1.0
        while (batch := self.reporter.next_batch(self._now)) is not None:
            updates += batch.updates
            self.reporter.acknowledge(self.reporter.last)
        return updates

    def reports(self) -> list[tuple[Any, ...]]:
        """The same in short: stages that start, how far they are and what they say, and how they end."""
        return [_short(update) for update in self.said()]


def _short(update: Update) -> tuple[Any, ...]:
    match update.WhichOneof("update"):
        case "stage_started":
            return ("start", update.stage_started.stage.stage_id)
        case "stage_progressed":
            result = update.stage_progressed
            return (
                (result.stage_id, result.current, result.message)
                if result.message
                else (result.stage_id, result.current)
            )
        case "stage_ended":
            state = StageState.Name(update.stage_ended.state).removeprefix("STAGE_STATE_")
            return ("end", update.stage_ended.stage_id, state)
        case other:
            return (other,)


class Clock:
    """The time that bars see."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now

    def tick(self, seconds: float) -> None:
        """Moves it."""
        self.now += seconds


Scenario = Callable[[Any, io.StringIO, Clock], object]
"""What is done with a class of bars that are shown in a file; what it saw."""

SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """One of the scenarios, by its name."""
    SCENARIOS[function.__name__] = function
    return function
