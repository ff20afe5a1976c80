"""Helpers for tests of bars: a job that collects reports, and scenarios that run with tqdm and with the drop-in."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from milepost.client import JobContext
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.v1 import Job, StageState, Update


class Listener:
    """The current job, with its reports."""

    def __init__(self) -> None:
        self._now = 0.0
        self.reporter = Reporter(lambda: None)
        self.job = JobContext(JobControl(Job(job_id="j", kind="k", attempt=1), self.reporter))

    def said(self) -> list[Update]:
        """The updates since the last call, with pending progress."""
        updates = []
        self._now += 1.0
        while (batch := self.reporter.next_batch(self._now)) is not None:
            updates += batch.updates
            self.reporter.acknowledge(self.reporter.last)
        return updates

    def reports(self) -> list[tuple[Any, ...]]:
        """The updates in short: starts, progress with messages, and ends of stages."""
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
    """The clock of bars."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The current time."""
        return self.now

    def tick(self, seconds: float) -> None:
        """Advance it."""
        self.now += seconds


Scenario = Callable[[Any, io.StringIO, Clock], object]
"""A scenario: uses a class of bars with output to a file, and returns its observations."""

SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """A scenario by its name."""
    SCENARIOS[function.__name__] = function
    return function
