"""Submissions to an engine that hangs or refuses, without a server."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, Self

import pytest

from milepost.client import Client, JobSnapshot
from milepost.client._options import SubmitOptions
from milepost.client.engines import Pipeline
from milepost.client.engines.engine_port import Submission
from milepost.client.engines.external_jobs import Enqueuer
from milepost.client.engines.labels import ENGINE
from milepost.client.errors import JobAlreadyExists
from milepost.v1 import Job, JobState


class Submitted:
    """A client whose jobs are QUEUED, or in another ``state`` later; ``cancelled`` are those that it was to cancel.
    Their parent is in this ``attempt``.
    """

    def __init__(self) -> None:
        self.attempt = 1
        self.state: JobState.ValueType = JobState.JOB_STATE_QUEUED
        self.cancelled: list[str] = []
        self.submitting = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def submit(self, kind: str, input_values: Any, **options: Any) -> JobSnapshot:
        """Submit a job, once the server answers."""
        self.submitting.set()
        await self.answers.wait()
        return JobSnapshot(Job(job_id=options["job_id"], kind=kind, state=JobState.JOB_STATE_QUEUED))

    async def get(self, job_id: str) -> JobSnapshot:
        """The job in its later state."""
        if job_id == "parent":
            return JobSnapshot(Job(job_id=job_id, attempt=self.attempt))
        job = Job(
            job_id=job_id, kind="k", state=self.state, parent_job_id="parent", labels={ENGINE: "celery"}
        )
        job.input["of"] = "earlier"
        return JobSnapshot(job)

    async def list(self, **_: Any) -> AsyncIterator[JobSnapshot]:
        """The child that an earlier attempt has submitted."""
        attempt = int(self.state != JobState.JOB_STATE_QUEUED)
        yield JobSnapshot(Job(job_id="parent-one", state=self.state, attempt=attempt))

    async def result(self, job_id: str) -> dict[str, Any]:
        """The result of a job."""
        return {"of": job_id}

    async def cancel(self, job_id: str, *, reason: str) -> None:
        """Cancel a job."""
        self.cancelled.append(job_id)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close nothing."""


def enqueuer_of(client: Any, enqueue: Callable[[JobSnapshot], object]) -> Enqueuer:
    """An enqueuer that cancels by the same client."""
    return Enqueuer("celery", enqueue, lambda: client)


async def ended(*submissions: asyncio.Task[JobSnapshot]) -> None:
    """Cancel the submissions, and wait for them."""
    for submission in submissions:
        submission.cancel()
    await asyncio.wait(submissions)


@pytest.mark.parametrize("repeatable", [False, True])
async def test_a_submission_that_is_cancelled_leaves_no_job_behind(
    repeatable: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A job whose call has not begun, or fails later, is cancelled: no engine will ever take it. The log has the error
    of the latter. Where the caller can submit it again it waits for that.
    """
    client: Any = Submitted()
    begun, released = threading.Semaphore(0), threading.Event()

    def hang(job: JobSnapshot) -> None:
        begun.release()
        released.wait()
        raise ConnectionError("gone")

    enqueuer = enqueuer_of(client, hang)
    submissions = [
        asyncio.create_task(
            enqueuer.submit(client, Submission("k", None, {"job_id": f"j{number}"}, repeatable=repeatable))
        )
        for number in range(5)
    ]
    for _ in range(4):
        await asyncio.to_thread(begun.acquire)
    await ended(*submissions)
    with caplog.at_level(logging.WARNING, "milepost.client"):
        released.set()
        enqueuer._threads.shutdown()

    assert sorted(client.cancelled) == ([] if repeatable else ["j0", "j1", "j2", "j3", "j4"])
    assert sorted(caplog.messages) == [
        f"job j{number} may not run: its submission to celery failed: gone" for number in range(4)
    ]


@pytest.mark.parametrize("repeatable", [False, True])
async def test_a_submission_that_is_cancelled_before_the_server_answers(repeatable: bool) -> None:
    """Its job is cancelled, too, once the server has said that it made one."""
    client: Any = Submitted()
    client.answers.clear()
    enqueued: list[str] = []
    enqueuer = enqueuer_of(client, lambda job: enqueued.append(job.job_id))
    submission = Submission("k", None, {"job_id": "j"}, repeatable=repeatable)
    submitting = asyncio.create_task(enqueuer.submit(client, submission))
    await client.submitting.wait()
    asyncio.get_running_loop().call_soon(client.answers.set)
    await ended(submitting)

    assert (client.cancelled, enqueued) == ([] if repeatable else ["j"], [])


@pytest.mark.parametrize("error", [ConnectionError("gone"), ValueError("no message can have this input")])
async def test_a_job_that_the_engine_does_not_take_is_cancelled(error: Exception) -> None:
    """Whatever the error, which the submitter gets."""
    client: Any = Submitted()

    def refuse(job: JobSnapshot) -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await enqueuer_of(client, refuse).submit(client, Submission("k", None, {"job_id": "j"}))

    assert client.cancelled == ["j"]


@pytest.mark.parametrize(("attempt", "cancelled"), [(1, ["j"]), (2, [])])
async def test_a_child_that_a_later_attempt_submits_again_goes_on(attempt: int, cancelled: list[str]) -> None:
    """The engine may have it from there; the late failure of the earlier submission says nothing of that."""
    client: Any = Submitted()

    def refuse_late(job: JobSnapshot) -> None:
        client.attempt = attempt
        raise ConnectionError("gone")

    submission = Submission("k", None, {"job_id": "j"}, parent_attempt=1)
    with pytest.raises(ConnectionError):
        await enqueuer_of(client, refuse_late).submit(client, submission)

    assert client.cancelled == cancelled


@pytest.mark.parametrize(
    ("state", "enqueued", "submitted"),
    [
        (JobState.JOB_STATE_QUEUED, ["parent-one celery earlier"], []),
        (JobState.JOB_STATE_RUNNING, [], []),
        (JobState.JOB_STATE_FAILED, [], ["parent-one-2"]),
    ],
)
async def test_a_child_of_an_earlier_attempt(
    state: JobState.ValueType, enqueued: list[str], submitted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waits is enqueued as it is, also where the parent gives another input now: its engine may never have
    got it. One that failed is replaced.
    """
    client: Any = Submitted()
    client.state = state
    parent: Any = SimpleNamespace(id="parent", attempt=2, labels={ENGINE: "celery"}, cancelled=False)
    made: list[str] = []
    reached: list[str] = []

    class Reached:
        """An engine to which each job is handed."""

        enqueuer = enqueuer_of(
            client, lambda job: reached.append(f"{job.job_id} {job.labels[ENGINE]} {job.input['of']}")
        )

        async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
            made.append(submission.options["job_id"])
            if made == ["parent-one"]:
                raise JobAlreadyExists("with other content")
            return JobSnapshot(Job(job_id=made[-1]))

        async def enqueue(self, client: Client, job: JobSnapshot, parent_attempt: int) -> None:
            await self.enqueuer.enqueue(client, job, parent_attempt=parent_attempt)

    pipeline = Pipeline("127.0.0.1:1", engine="celery")
    engine: Any = Reached()
    pipeline._engines = {"celery": engine}
    pipeline.job("k")(lambda job: None)
    monkeypatch.setattr(pipeline, "client", lambda: client)
    result = await pipeline.run_child(parent, "k", {"of": "later"}, name="one")

    assert (reached, made, result) == (enqueued, submitted, {"of": (submitted or ["parent-one"])[0]})


async def test_a_job_that_an_engine_has_started_goes_on() -> None:
    """Its submission may fail all the same: the broker's confirmation was lost, or another submission was faster."""
    client: Any = Submitted()

    def start_and_fail(job: JobSnapshot) -> None:
        client.state = JobState.JOB_STATE_RUNNING
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await enqueuer_of(client, start_and_fail).submit(client, Submission("k", None, {"job_id": "j"}))

    assert client.cancelled == []


@pytest.mark.parametrize(
    ("options", "is_repeatable"), [({}, False), ({"job_id": "order-17"}, True), ({"request_id": "r"}, True)]
)
async def test_a_submission_with_an_id_is_repeatable(options: SubmitOptions, is_repeatable: bool) -> None:
    """The same id finds the same job, and its shadow."""
    submissions: list[Submission] = []

    class Taken:
        async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
            submissions.append(submission)
            return JobSnapshot(Job(job_id="j", kind="k"))

    pipeline = Pipeline("127.0.0.1:1", engine="celery", shadow_engine="worker")
    engine: Any = Taken()
    pipeline._engines = {"celery": engine, "worker": engine}
    pipeline.job("k")(lambda job: None)
    await pipeline.submit("k", **options)

    assert [submission.repeatable for submission in submissions] == [is_repeatable, is_repeatable]
