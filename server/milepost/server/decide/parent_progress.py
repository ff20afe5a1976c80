"""How a job moves because its children do."""

from __future__ import annotations

from milepost.contract.job_states import has_ended
from milepost.server.decide.next_event import next_event
from milepost.v1 import Event, Job

# How far a fraction moves before it is told, unless a child ended.
_STEP = 0.01


def family(
    job: Job, *, total: int, ended: int, fraction: float, now: int, told_ended: int = 0
) -> list[Event]:
    """What to tell of a job whose ``total`` children, of which ``ended`` have, are at ``fraction`` in the mean.

    Nothing for a job that has stages of its own, or that has ended; and nothing that would move it by less than a
    hundredth, unless more children have ended than ``told_ended``. The fraction never falls (rule 13), and is not full
    before all children that are planned are there; without a plan, one more may always come.
    """
    if job.stages or has_ended(job) or total == 0:
        return []
    expected = job.planned_children if total <= job.planned_children else total + 1
    fraction = max(job.fraction, min(fraction, 1.0) * total / expected)
    if ended <= told_ended and fraction - job.fraction < _STEP:
        return []
    event = next_event(job, now)
    event.children_progressed.total = total
    event.children_progressed.ended = ended
    event.children_progressed.job_fraction = fraction
    return [event]
