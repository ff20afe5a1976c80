"""Runs that wait for their next attempt: poll Hatchet, which tells no worker when such a run is cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from milepost.client.engines.hatchet.engine_state import StateReader
from milepost.client.errors import JobNotFound, MilepostError
from milepost.v1 import Job, JobState

__all__ = ["CANCELLED_IN_HATCHET", "WAITING_RUNS", "WaitingRuns"]

_log = logging.getLogger("milepost.client")

CANCELLED_IN_HATCHET: Final = "The run was cancelled in Hatchet."
"""The reason of a cancellation that came from there."""

WAITING_RUNS: Final = 1_000
"""Maximum runs that one process polls."""
# Seconds before the first question and between later ones, each longer than the one before.
_FIRST_PAUSE: Final = 0.5
_PAUSE_FACTOR: Final = 1.5
_PAUSE_LIMIT: Final = 30.0


class WaitingRuns:
    """Ends the jobs of runs that end in Hatchet while they wait for an attempt.

    Args:
        get: Gets a job.
        cancel: Cancels a job, with a reason.
    """

    def __init__(
        self, get: Callable[[str], Awaitable[Job]], cancel: Callable[[str, str], Awaitable[None]]
    ) -> None:
        self._get = get
        self._cancel = cancel
        self._watches: set[asyncio.Task[None]] = set()

    def watch(self, job_id: str, attempt: int, state: StateReader) -> None:
        """Poll the state of a run until the job of this attempt goes on, or has ended."""
        if len(self._watches) < WAITING_RUNS:
            watch = asyncio.create_task(self._watch(job_id, attempt, state))
            self._watches.add(watch)
            watch.add_done_callback(self._watches.discard)

    def close(self) -> None:
        """Stop polling."""
        for watch in self._watches:
            watch.cancel()

    async def _watch(self, job_id: str, attempt: int, state: StateReader) -> None:
        pause = _FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * _PAUSE_FACTOR, _PAUSE_LIMIT)
            try:
                job = await self._get(job_id)
                if job.attempt != attempt or job.state != JobState.JOB_STATE_QUEUED:
                    return
                run = await state()
                if run is not None and run.has_ended:
                    await self._cancel(job_id, _reason(run.name))
                    return
            except JobNotFound:
                return
            except MilepostError as error:
                _log.debug("job %s: looking after its run failed: %s", job_id, error)


def _reason(state: str) -> str:
    return CANCELLED_IN_HATCHET if state == "CANCELLED" else f"The run has ended in Hatchet: {state}."
