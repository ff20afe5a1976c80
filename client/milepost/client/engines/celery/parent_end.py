"""The end of the parent of a canvas, which no code of its own runs: whoever sees its last task end reports it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from milepost.client._attach import Attached
from milepost.client._calls import JobCalls, job_filter
from milepost.client.engines.celery.canvas_stamp import CanvasStamp
from milepost.client.errors import JobEndedError, JobFailure, LeaseLost
from milepost.contract.job_states import has_ended
from milepost.v1 import Job, JobState

__all__ = ["QUIET_TIME", "ParentEnd"]

QUIET_TIME: Final = 5.0
"""Seconds without a new task after which a nested canvas with a failure has none left to publish."""

_OPEN_STATES: Final = (
    JobState.JOB_STATE_QUEUED,
    JobState.JOB_STATE_RUNNING,
    JobState.JOB_STATE_CANCELLING,
)


class ParentEnd:
    """Ends one parent once nothing of its canvas is left to run."""

    def __init__(self, calls: JobCalls, attach: Callable[[str], Attached], canvas: CanvasStamp) -> None:
        self._calls = calls
        self._attach = attach
        self._canvas = canvas
        # The number of children, all ended, and the time since when it is the same.
        self._quiet: tuple[int, float] = 0, 0.0

    async def check(self, now: float) -> bool:
        """End the parent if it is time; whether it has ended.

        Args:
            now: Time in seconds, of any clock that never goes back.

        Raises:
            MilepostError: There is no such job, or no answer.
        """
        parent_job_id = self._canvas.parent_job_id
        parent = (await self._calls.get(parent_job_id)).job
        if has_ended(parent):
            return True
        async for _ in self._calls.list(job_filter(parent_job_id=parent_job_id, states=_OPEN_STATES), "", 1):
            return False
        everyone = self._calls.list(job_filter(parent_job_id=parent_job_id), "submit_time", 0)
        children = [child.proto async for child in everyone]
        if not all(has_ended(child) for child in children):
            return False  # it was published meanwhile
        failure = _failure_among(children)
        if not self._is_over(parent, children, now, has_failed=failure is not None):
            return False
        # Of two that find this at once, one is faster.
        with contextlib.suppress(LeaseLost, JobEndedError, JobFailure):
            async with self._attach(parent_job_id):
                if failure is not None:
                    raise failure
        return True

    def _is_over(self, parent: Job, children: Sequence[Job], now: float, *, has_failed: bool) -> bool:
        """Whether no task is left to run now that all children have ended."""
        count = len(children)
        if not has_failed or count >= parent.planned_children:
            return count >= parent.planned_children
        certain = self._canvas.certain_tasks
        if certain is not None:
            return count >= certain
        if self._quiet[0] != count:
            self._quiet = count, now
        return now - self._quiet[1] >= QUIET_TIME


def _failure_among(children: Sequence[Job]) -> JobFailure | None:
    """The failure of the parent; None if all children have succeeded."""
    for child in children:
        if child.state != JobState.JOB_STATE_SUCCEEDED:
            state = JobState.Name(child.state).removeprefix("JOB_STATE_")
            why = child.failure.message or child.cancellation.reason
            return JobFailure("CHILD_FAILED", f"{child.kind} {child.job_id} is {state}{why and ': '}{why}")
    return None
