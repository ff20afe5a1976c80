"""The progress of a job by that of its children."""

from __future__ import annotations

from milepost.contract.job_states import has_ended
from milepost.server.decide.next_event import next_event
from milepost.v1 import Event, Job

# Minimum change of the fraction that is worth an event, unless a child has ended.
_FRACTION_STEP = 0.01


def children_progressed(
    job: Job, now: int, *, total: int, ended: int, fraction: float, reported_ended: int = 0
) -> list[Event]:
    """The progress of a job with ``total`` children, of which ``ended`` have ended, at the mean ``fraction``.

    No event for a job that has stages of its own, or that has ended, nor for a change of less than a hundredth, unless
    more children have ended than ``reported_ended``. The fraction never falls (rule 13). It stays below 1 until all
    planned children exist; without a plan, another child may always come.
    """
    if job.stages or has_ended(job) or total == 0:
        return []
    expected = job.planned_children if total <= job.planned_children else total + 1
    fraction = max(job.fraction, min(fraction, 1.0) * total / expected)
    if ended <= reported_ended and fraction - job.fraction < _FRACTION_STEP:
        return []
    event = next_event(job, now)
    event.children_progressed.total = total
    event.children_progressed.ended = ended
    event.children_progressed.job_fraction = fraction
    return [event]
