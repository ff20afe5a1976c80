"""What feeds are announced, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping

from milepost.server.access.narrowing import narrow
from milepost.server.access.principal import ANONYMOUS
from milepost.server.log.event_log import Commit, DurableCommit, JobAttributes
from milepost.server.log.frames import Chunk
from milepost.server.watching.job_criteria import JobCriteria
from milepost.v1 import JobFilter, JobState

__all__ = ["RUNNING", "commit", "criteria_of"]


RUNNING = JobState.JOB_STATE_RUNNING


def commit(
    position: int, job_id: str, size: int = 10, labels: Mapping[str, str] | None = None
) -> DurableCommit:
    """A commit of one event."""
    made = Commit(
        attributes=JobAttributes(job_id, "", "kind", "", labels or {}),
        chunk=Chunk(position, position, b"x" * size),
        job=b"",
        state_before=RUNNING,
        state=RUNNING,
        fraction_before=0.0,
        fraction=0.0,
        report_sequence=0,
        time=0,
        is_transition=False,
        ends=False,
        payloads=1,
    )
    return DurableCommit(made, position)


def criteria_of(wanted: JobFilter) -> JobCriteria:
    """The criteria of a filter for everybody."""
    return JobCriteria.of(wanted, narrow(ANONYMOUS, wanted, with_parent=True))
