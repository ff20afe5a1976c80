"""Undo starts of jobs whose workers were not sent them: the jobs go back to the queue, or as ``undo`` decides."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import structlog

from milepost.server import decide
from milepost.server.background_tasks import Tasks
from milepost.server.base.fault_log import FaultLog
from milepost.server.base.refusal import Refusal
from milepost.server.dispatch.attempt_key import AttemptKey
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.job_starts import JobStart
from milepost.server.journal import Decision
from milepost.server.log.log_errors import StoreError
from milepost.server.store_errors import STORE_RETRY_DELAY

_logger = structlog.get_logger("milepost.dispatch")

FAILURES_LIMIT: Final = 7
"""Retries where something other than the store fails, each after twice the time: for two minutes in all. After that
the attempt ends with its lease."""


class UndoneStarts:
    """Undoes starts: at once, or later where that fails."""

    def __init__(self, attempts: Attempts, tasks: Tasks) -> None:
        self._attempts = attempts
        self._tasks = tasks
        self._failures = FaultLog(_logger, "start not undone", logging.ERROR)

    def undo_in_turn(self, job_id: str, key: AttemptKey) -> None:
        """Requeue the job soon: there may be thousands."""
        self._tasks.start_in_turn(self._undo(job_id, key, decide.assignment_lost))

    async def undo_if_unsent(self, start: JobStart) -> None:
        """Undo a start that has ended, or leave that for later. The next one may begin, and hold the job, before this
        returns.
        """
        if start.undo is not None and start.started is not None:
            await self._undo(start.job_id, start.started.key, start.undo)

    async def _undo(self, job_id: str, key: AttemptKey, undo: Decision, failures: int = 0) -> None:
        delay = STORE_RETRY_DELAY
        try:
            await self._attempts.undo_start(job_id, key, undo)
            return
        except StoreError:
            pass
        except Refusal:  # the job was deleted meanwhile
            return
        except Exception as error:  # noqa: BLE001  # such as of a damaged row
            self._failures.note(repr(error), job_id=job_id, exc_info=error)
            if failures == FAILURES_LIMIT:
                return
            delay *= 2**failures
            failures += 1
        self._tasks.start(self._undo_later(delay, job_id, key, undo, failures))

    async def _undo_later(
        self, delay: float, job_id: str, key: AttemptKey, undo: Decision, failures: int
    ) -> None:
        await asyncio.sleep(delay)
        self._tasks.start_in_turn(self._undo(job_id, key, undo, failures))
