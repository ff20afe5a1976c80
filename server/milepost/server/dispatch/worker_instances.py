"""Which jobs each run of a worker's process has been given, as the log's turns have it."""

from __future__ import annotations

from milepost.contract.job_states import LEASED
from milepost.v1 import Job


class WorkerInstances:
    """An index of the leased jobs by ``Hello.instance``; those of workers that named none are not in it."""

    def __init__(self) -> None:
        self._attempts: dict[str, dict[str, int]] = {}
        self._instances: dict[str, str] = {}

    def on_transition(self, job: Job) -> None:
        """Takes in who has the job now."""
        before = self._instances.pop(job.job_id, None)
        if before is not None:
            attempts = self._attempts[before]
            del attempts[job.job_id]
            if not attempts:
                del self._attempts[before]
        if job.state in LEASED and job.worker_instance:
            self._instances[job.job_id] = job.worker_instance
            self._attempts.setdefault(job.worker_instance, {})[job.job_id] = job.attempt

    def attempts(self, instance: str) -> dict[str, int]:
        """The attempt at each job that it has been given."""
        return dict(self._attempts.get(instance, {}))
