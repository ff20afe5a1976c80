"""The context of an attached job, which its block reports to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milepost.client._worker.job_context import JobContext, JobControl
from milepost.v1 import Job

__all__ = ["AttachedJob"]


class AttachedJob(JobContext):
    """The `JobContext` of a handler, and the result that a handler would return.

    Attributes:
        result: The result of the job, which the block sets: a mapping, of at most 1 MiB as JSON; None for none. Values
            without a JSON form are reported in the nearest form, with a warning in the job's log.
    """

    def __init__(self, context: JobContext) -> None:
        super().__init__(JobControl(context.message, context._control.reporter))
        self.result: Mapping[str, Any] | None = None

    def _assigned(self, message: Job) -> None:
        """Replace the job, which was made without the server, by the assigned one."""
        self._job = message
        self._control.stages.add_declared(message)
        for derived in ("input", "labels"):
            self.__dict__.pop(derived, None)
