"""Runs that wait for their next attempt: poll Hatchet, which tells no worker when such a run is cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from milepost.client.engines.hatchet.engine_state import StateReader
from milepost.client.errors import JobNotFound, MilepostError
from milepost.v1 import Job, JobState

__all__ = ["CANCELLED_IN_HATCHET", "SEARCH_INTERVAL", "WAITING_RUNS", "WaitingRuns"]

_logger = logging.getLogger("milepost.client")

CANCELLED_IN_HATCHET: Final = "The run was cancelled in Hatchet."
"""The reason of a cancellation that came from there."""

WAITING_RUNS: Final = 1_000
"""Maximum runs that one process polls."""
SEARCH_INTERVAL: Final = 60.0
"""Seconds between two searches for runs that no process polls any more, since theirs has stopped."""
# Seconds before the first question and between later ones, each longer than the one before.
_FIRST_PAUSE: Final = 0.5
_PAUSE_FACTOR: Final = 1.5
_PAUSE_LIMIT: Final = 30.0


class WaitingRuns:
    """Ends the jobs of runs that end in Hatchet while they wait for an attempt.

    The process that ran the last attempt asks for its run. It may stop before, so each process also looks for jobs that
    wait, with its first task and once in `SEARCH_INTERVAL`.
    """

    def __init__(
        self,
        get: Callable[[str], Awaitable[Job]],
        cancel: Callable[[str, str], Awaitable[None]],
        list_waiting: Callable[[], AsyncIterator[Job]],
    ) -> None:
        """See the arguments.

        Args:
            get: Gets a job.
            cancel: Cancels a job, with a reason.
            list_waiting: Lists the QUEUED jobs of this process's kinds.
        """
        self._get = get
        self._cancel = cancel
        self._list_waiting = list_waiting
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None

    def watch(self, job_id: str, attempt: int, state: StateReader) -> None:
        """Ask for the state of a run until the job of this attempt goes on, or has ended."""
        if (earlier := self._watches.pop(job_id, None)) is not None:
            earlier.cancel()
        if len(self._watches) < WAITING_RUNS:
            watch = asyncio.create_task(self._watch(job_id, attempt, state))
            self._watches[job_id] = watch
            watch.add_done_callback(lambda done: self._forget(job_id, done))

    def look(self, reader: Callable[[Job], StateReader | None]) -> None:
        """Look, from now on, for runs that nobody asks for.

        Args:
            reader: Returns what asks for the state of the run of a job; None if the job has none.
        """
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(reader))

    def close(self) -> None:
        """Ask no more."""
        for task in (*self._watches.values(), self._looking):
            if task is not None:
                task.cancel()

    def _forget(self, job_id: str, watch: asyncio.Task[None]) -> None:
        if self._watches.get(job_id) is watch:
            del self._watches[job_id]

    async def _look(self, reader: Callable[[Job], StateReader | None]) -> None:
        while True:
            try:
                async for job in self._list_waiting():
                    if len(self._watches) >= WAITING_RUNS:
                        break
                    state = reader(job) if job.attempt and job.job_id not in self._watches else None
                    if state is not None:
                        self.watch(job.job_id, job.attempt, state)
            except MilepostError as error:
                _logger.debug("polling the runs that wait for their next attempt failed: %s", error)
            except Exception:  # such as of Hatchet's SDK: nobody else in this process looks
                _logger.warning("polling the runs that wait for their next attempt failed", exc_info=True)
            await asyncio.sleep(SEARCH_INTERVAL)

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
                _logger.debug("job %s: polling its run failed: %s", job_id, error)


def _reason(state: str) -> str:
    return CANCELLED_IN_HATCHET if state == "CANCELLED" else f"The run has ended in Hatchet: {state}."
