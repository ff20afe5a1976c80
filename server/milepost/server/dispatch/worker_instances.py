"""Index the leased jobs by worker process, to find assignments that never reached it."""

from __future__ import annotations

from milepost.contract.job_states import LEASED
from milepost.server.dispatch.attempt_key import AttemptKey
from milepost.v1 import Job


class WorkerInstances:
    """The leased jobs by ``Hello.instance``, except those of workers that sent none."""

    def __init__(self) -> None:
        self._attempts: dict[str, dict[str, AttemptKey]] = {}
        self._instances: dict[str, str] = {}

    def on_transition(self, job: Job) -> None:
        """Note which worker process holds the job now."""
        before = self._instances.pop(job.job_id, None)
        if before is not None:
            attempts = self._attempts[before]
            del attempts[job.job_id]
            if not attempts:
                del self._attempts[before]
        if job.state in LEASED and job.worker_instance:
            self._instances[job.job_id] = job.worker_instance
            self._attempts.setdefault(job.worker_instance, {})[job.job_id] = AttemptKey.of(job)

    def attempts(self, instance: str) -> dict[str, AttemptKey]:
        """The attempt of each job that the worker process was assigned."""
        return dict(self._attempts.get(instance, {}))
