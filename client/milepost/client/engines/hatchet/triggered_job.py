"""A job that was submitted where its run is triggered."""

from __future__ import annotations

from dataclasses import dataclass

from milepost.client.engines.hatchet.task_run import JOB_KEY

__all__ = ["TriggeredJob"]


@dataclass(frozen=True, slots=True)
class TriggeredJob:
    """The job of a run that is about to be triggered.

    Attributes:
        job_id: The id of the job.
    """

    job_id: str

    @property
    def metadata(self) -> dict[str, str]:
        """The additional metadata to trigger the run with; its task claims the job by it."""
        return {JOB_KEY: self.job_id}
