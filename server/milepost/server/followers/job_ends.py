"""How jobs ended since the start of this process, for metrics."""

from __future__ import annotations

from collections import Counter

from milepost.contract.job_states import FINAL, has_ended
from milepost.v1 import Job, JobState


class JobEnds:
    """Counts the jobs that end, by their state, at whichever node."""

    def __init__(self) -> None:
        self.by_state: Counter[JobState.ValueType] = Counter(dict.fromkeys(FINAL, 0))

    def on_transition(self, job: Job) -> None:
        """Count the job if it has ended: that is its last transition."""
        if has_ended(job):
            self.by_state[job.state] += 1
