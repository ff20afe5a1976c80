"""What happens to a command whose lease is lost."""

from __future__ import annotations

import pytest

from milepost.client._cli.exec.lease_recovery import Recovery, recovery_for
from milepost.v1 import Failure, Job, JobState


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (None, Recovery.CONTINUE_ALONE),
        (Job(state=JobState.JOB_STATE_LOST, attempt=2), Recovery.CONTINUE_ALONE),
        (Job(state=JobState.JOB_STATE_LOST, attempt=3), Recovery.CONTINUE_ALONE),
        (Job(state=JobState.JOB_STATE_QUEUED, attempt=2), Recovery.CLAIM),
        (Job(state=JobState.JOB_STATE_RUNNING, attempt=3), Recovery.STOP),
        (Job(state=JobState.JOB_STATE_CANCELLING, attempt=3), Recovery.STOP),
        (Job(state=JobState.JOB_STATE_SUCCEEDED, attempt=3), Recovery.STOP),
        (Job(state=JobState.JOB_STATE_CANCELLED, attempt=2), Recovery.STOP),
        (Job(state=JobState.JOB_STATE_FAILED, attempt=2, failure=Failure(code="TIMEOUT")), Recovery.STOP),
        (Job(state=JobState.JOB_STATE_RUNNING, attempt=2), Recovery.RETRY),
    ],
)
def test_a_command_is_stopped_only_where_it_has_a_successor(job: Job | None, expected: Recovery) -> None:
    """Or if others ended its job; a LOST or deleted job is continued without, a QUEUED one claimed."""
    assert recovery_for(job, 2) == expected
