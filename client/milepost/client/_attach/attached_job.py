"""A job, as the block that has attached to it sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milepost.client._worker.job_context import JobContext
from milepost.v1 import Job

__all__ = ["AttachedJob"]


class AttachedJob(JobContext):
    """What a handler gets, and a place for what a handler would return.

    Attributes:
        result: What came of the job, set in the block: a mapping, of at most 1 MiB as JSON; None for nothing. What JSON
            cannot say is reported as near as can be, with a warning in the job's log.
    """

    def __init__(self, context: JobContext) -> None:
        super().__init__(context.message, context._reporter)
        self.result: Mapping[str, Any] | None = None

    def assigned(self, message: Job) -> None:
        """The server has answered: from now on the job is as it was assigned."""
        self._job = message
        self._stages.update(stage.stage_id for stage in message.stages)
        for derived in ("input", "labels"):
            self.__dict__.pop(derived, None)
