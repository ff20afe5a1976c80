"""The state of a run in Hatchet's engine. The SDK tells a task that it must stop, but not why."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from hatchet_sdk import Context

from milepost.client.engines.hatchet.task_run import TASK_RUN_LABEL, WORKFLOW_RUN_LABEL
from milepost.v1 import Job

__all__ = ["EngineState", "StateReader", "engine_reader", "reader_of_job"]

_logger = logging.getLogger("milepost.client")

# Seconds for an answer of the engine.
_TIMEOUT: Final = 5.0
_ENDS: Final = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class EngineState:
    """The state of a task run in the engine.

    Attributes:
        name: ``QUEUED``, ``RUNNING``, ``COMPLETED``, ``FAILED`` or ``CANCELLED``.
        error: The error of its last attempt, if it has failed.
    """

    name: str
    error: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether no attempt follows."""
        return self.name in _ENDS


StateReader = Callable[[], Awaitable[EngineState | None]]
"""Asks the engine for the state of a run; None if it does not answer."""


def engine_reader(context: Context) -> StateReader:
    """Return a function that reads the state of a context's run, during its task and after it."""
    return _reader(context, context.workflow_run_id, context.task_run_id)


def reader_of_job(context: Context, job: Job) -> StateReader | None:
    """Return a function that reads the state of a job's run from the context's engine; None if the job has no run."""
    run_id, task_id = job.labels.get(WORKFLOW_RUN_LABEL), job.labels.get(TASK_RUN_LABEL)
    return _reader(context, run_id, task_id) if run_id and task_id else None


def _reader(context: Context, run_id: str, task_id: str) -> StateReader:
    get_details = context._runs_client.get_details

    def ask() -> EngineState | None:
        for task in get_details(run_id).task_runs.values():
            if task.external_id == task_id:
                return EngineState(task.status.value, task.error or "")
        return None

    async def read() -> EngineState | None:
        asking = asyncio.ensure_future(asyncio.to_thread(ask))
        try:
            # Not asyncio.wait_for: that of Python 3.11 drops a cancellation that comes with the answer.
            await asyncio.wait((asking,), timeout=_TIMEOUT)
            if not asking.done():
                raise TimeoutError
            return asking.result()
        except Exception as error:  # noqa: BLE001 - whatever the engine's API raises must not harm the task
            _logger.warning("task run %s: Hatchet does not tell its state: %r", task_id, error)
            return None
        finally:
            asking.cancel()

    return read
