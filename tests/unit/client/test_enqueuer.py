"""Submissions to an engine that hangs, without a server."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from milepost.client import JobSnapshot
from milepost.client.engines.engine_port import Submission
from milepost.client.engines.external_jobs import Enqueuer
from milepost.v1 import Job, JobState


class Submitted:
    """A client whose jobs are QUEUED; ``cancelled`` are those that it was to cancel."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []

    async def submit(self, kind: str, input_values: Any, **options: Any) -> JobSnapshot:
        """Submit a job."""
        return JobSnapshot(Job(job_id=options["job_id"], kind=kind, state=JobState.JOB_STATE_QUEUED))

    async def cancel(self, job_id: str, *, reason: str) -> None:
        """Cancel a job."""
        self.cancelled.append(job_id)


async def test_a_submission_that_is_cancelled_leaves_no_job_behind(caplog: pytest.LogCaptureFixture) -> None:
    """A job whose call has not begun is cancelled: no engine will ever take it. One whose call fails is in the log."""
    client: Any = Submitted()
    begun, released = threading.Semaphore(0), threading.Event()

    def hang(job: JobSnapshot) -> None:
        begun.release()
        released.wait()
        raise ConnectionError("gone")

    enqueuer = Enqueuer("celery", hang, ConnectionError)
    submissions = [
        asyncio.create_task(enqueuer.submit(client, Submission("k", None, {"job_id": f"j{number}"})))
        for number in range(5)
    ]
    for _ in range(4):
        await asyncio.to_thread(begun.acquire)
    for submission in submissions:
        submission.cancel()
    await asyncio.wait(submissions)
    with caplog.at_level(logging.WARNING, "milepost.client"):
        released.set()
        enqueuer._threads.shutdown()

    assert client.cancelled == ["j4"]
    assert sorted(caplog.messages) == [
        f"job j{number} waits for nobody: celery did not take it: gone" for number in range(4)
    ]
