"""Undo starts of jobs whose workers were not sent them: the jobs go back to the queue, or as ``undo`` decides."""

from __future__ import annotations

import asyncio

from milepost.server import decide
from milepost.server.background_tasks import Tasks
from milepost.server.base.refusal import Refusal
from milepost.server.dispatch.attempt_key import AttemptKey
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.job_starts import JobStart
from milepost.server.journal import Decision
from milepost.server.store_errors import STORE_ERRORS, STORE_RETRY_DELAY


class UndoneStarts:
    """Undoes starts: at once, or later where the store fails."""

    def __init__(self, attempts: Attempts, tasks: Tasks) -> None:
        self._attempts = attempts
        self._tasks = tasks

    def undo_in_turn(self, job_id: str, key: AttemptKey) -> None:
        """Requeue the job soon: there may be thousands."""
        self._tasks.start_in_turn(self._undo(job_id, key, decide.assignment_lost))

    async def undo_if_unsent(self, start: JobStart) -> None:
        """Undo a start that has ended. The next one may begin, and hold the job, before this returns."""
        if start.undo is not None and start.started is not None:
            await self._undo(start.job_id, start.started.key, start.undo)

    async def _undo(self, job_id: str, key: AttemptKey, undo: Decision) -> None:
        try:
            await self._attempts.undo_start(job_id, key, undo)
        except STORE_ERRORS:
            self._tasks.start(self._undo_later(job_id, key, undo))
        except Refusal:  # the job was deleted meanwhile
            return

    async def _undo_later(self, job_id: str, key: AttemptKey, undo: Decision) -> None:
        await asyncio.sleep(STORE_RETRY_DELAY)
        await self._undo(job_id, key, undo)
