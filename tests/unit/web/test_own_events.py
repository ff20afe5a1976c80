"""Server-sent events of an application's own HTML, for a client that comes back."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from milepost.client import JobSnapshot
from milepost.client.errors import JobNotFound, PermissionDenied, Unreachable
from milepost.v1 import Job, JobState
from milepost.web.sse import event_response

ENDED = Job(job_id="j", epoch="e", last_sequence=7, state=JobState.JOB_STATE_SUCCEEDED)


class _Client:
    """A client that gets this job, or this error."""

    def __init__(self, answer: Job | Exception) -> None:
        self._answer = answer

    async def get(self, job_id: str) -> JobSnapshot:
        """The job."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return JobSnapshot(self._answer)


async def _status(answer: Job | Exception) -> int:
    request = Request({"type": "http", "headers": [(b"last-event-id", b"e:7")]})
    client: Any = _Client(answer)
    return (await event_response(request, client, "j", render=lambda job: "")).status_code


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (ENDED, 204),
        (Job(job_id="j", epoch="e", last_sequence=8), 200),
        (JobNotFound(), 404),
        (Unreachable("127.0.0.1:1"), 200),
    ],
    ids=["ended", "running", "deleted", "away"],
)
async def test_who_comes_back(answer: Job | Exception, status: int) -> None:
    """After the end, and for a deleted job, EventSource has to stop; while the server is away it has to go on."""
    assert await _status(answer) == status


async def test_a_client_that_the_server_refuses() -> None:
    """The application sees the error."""
    with pytest.raises(PermissionDenied):
        await _status(PermissionDenied())
