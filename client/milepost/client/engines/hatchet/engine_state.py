"""The state of a run in Hatchet's engine. The SDK tells a task that it must stop, but not why."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from hatchet_sdk import Context

__all__ = ["EngineState", "StateReader", "engine_reader"]

_log = logging.getLogger("milepost.client")

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
    """Return a reader of the state of a context's run, which works during the task and after it."""
    get_details, run_id, task_id = (
        context._runs_client.get_details,
        context.workflow_run_id,
        context.task_run_id,
    )

    def ask() -> EngineState | None:
        for task in get_details(run_id).task_runs.values():
            if task.external_id == task_id:
                return EngineState(task.status.value, task.error or "")
        return None

    async def read() -> EngineState | None:
        try:
            return await asyncio.wait_for(asyncio.to_thread(ask), _TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever the engine's API raises must not harm the task
            _log.warning("task run %s: Hatchet does not tell its state: %r", task_id, error)
            return None

    return read
