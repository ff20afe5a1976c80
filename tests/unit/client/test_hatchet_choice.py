"""Which job an attempt of a Hatchet task run reports to, and what its end says; pure functions."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hatchet_sdk import NonRetryableException
from hatchet_sdk.exceptions import RetryAfterException
from pydantic import BaseModel, field_serializer

from milepost.client import JobFailure
from milepost.client.engines.hatchet.hatchet_jobs import HatchetJobs, kind_of
from milepost.client.engines.hatchet.job_choice import AttemptNotReported, CancelledBefore, choose_job
from milepost.client.engines.hatchet.task_end import as_mapping, failure_for_job, final_error
from milepost.client.engines.hatchet.task_interrupt import TaskInterrupt
from milepost.client.engines.hatchet.task_run import TaskRun, retry_of
from milepost.v1 import Cancellation, Job, JobState


def run(retry_count: int, max_attempts: int = 3) -> TaskRun:
    """An attempt."""
    return TaskRun("run", retry_count, max_attempts, {}, "run", "")


def job(
    state: str, retry: int | None = None, job_id: str = "run", cancellation: Cancellation | None = None
) -> Job:
    """The job of the run, last with this attempt."""
    worker_id = "" if retry is None else run(retry).worker_id
    return Job(
        job_id=job_id,
        state=JobState.Value(f"JOB_STATE_{state}"),
        worker_id=worker_id,
        cancellation=cancellation,
    )


TOLD = Cancellation(reason="no", acknowledge_time=Timestamp(seconds=1))
UNTOLD = Cancellation(reason="no")


@pytest.mark.parametrize(
    ("found", "retry_count", "chosen"),
    [
        (job("QUEUED"), 0, "run"),
        (job("QUEUED", 0), 1, "run"),
        (job("RUNNING", 0), 0, "run"),
        (job("RUNNING", 0), 1, "run"),
        (job("RUNNING", 1), 0, AttemptNotReported),
        (job("CANCELLING", 1), 0, AttemptNotReported),
        (job("QUEUED", 1), 0, "run"),
        (job("SUCCEEDED", 0), 0, AttemptNotReported),
        (job("SUCCEEDED", 1), 0, AttemptNotReported),
        (job("SUCCEEDED", 0), 1, "run-1"),
        (job("FAILED", 0), 1, "run-1"),
        (job("LOST", 0), 1, "run-1"),
        (job("FAILED"), 0, "run-0"),
        (job("CANCELLED", 0, cancellation=TOLD), 1, "run-1"),
        (job("CANCELLED", 0, cancellation=UNTOLD), 1, CancelledBefore),
        (job("CANCELLED", cancellation=UNTOLD), 0, CancelledBefore),
        (job("SUCCEEDED", 1, "run-1"), 1, AttemptNotReported),
        (job("RUNNING", 1, "run-1"), 1, "run-1"),
    ],
)
def test_the_job_of_an_attempt(found: Job, retry_count: int, chosen: str | type[Exception]) -> None:
    """That of the run; one of its own if that has ended before; none if a later attempt has it."""
    if isinstance(chosen, str):
        assert choose_job(found, run(retry_count)) == chosen
    else:
        with pytest.raises(chosen):
            choose_job(found, run(retry_count))


@pytest.mark.parametrize(
    ("error", "retry_count", "code", "retryable"),
    [
        (ValueError("no"), 0, "ValueError", True),
        (ValueError("no"), 2, "ValueError", False),
        (NonRetryableException("no"), 0, "NonRetryableException", False),
        (JobFailure("NO", "no"), 0, "NO", False),
        (JobFailure("NO", "no", "secret", retryable=True), 0, "NO", True),
        (JobFailure("NO", "no", retryable=True), 2, "NO", False),
        (RetryAfterException("no", after=timedelta(seconds=1)), 0, "RetryAfterException", True),
        (asyncio.CancelledError(), 0, "INTERRUPTED", True),
        (asyncio.CancelledError(), 2, "INTERRUPTED", False),
    ],
)
def test_a_failure_is_final_when_hatchet_gives_up(
    error: BaseException, retry_count: int, code: str, retryable: bool
) -> None:
    """And has no details."""
    failure = failure_for_job(error, run(retry_count))

    assert (failure.code, failure.retryable, failure.detail) == (code, retryable, "")
    assert not failure_for_job(error, run(retry_count), is_final=True).retryable


def test_hatchet_learns_of_a_final_failure() -> None:
    """Of Milepost's own; any other exception is left as it is."""
    error = final_error(JobFailure("NO_PAGE", "There is none."))

    assert isinstance(error, NonRetryableException)
    assert str(error) == "NO_PAGE: There is none."
    assert final_error(JobFailure("NO_PAGE", "There is none.", retryable=True)) is None
    assert final_error(ValueError()) is None


class OwnFailure(JobFailure):
    """A failure whose `__init__` leaves out that of its base."""

    def __init__(self, path: str) -> None:
        self.path = path


def test_a_failure_without_fields_ends_its_job() -> None:
    """As any other exception does: an error here would leave the job RUNNING."""
    failure = failure_for_job(OwnFailure("/srv/a"), run(0))
    assert (failure.code, failure.message, failure.retryable) == ("OwnFailure", "/srv/a", True)
    assert final_error(OwnFailure("/srv/a")) is None


class Order(BaseModel):
    pages: int


@dataclasses.dataclass
class Sheet:
    number: int


def test_values_of_a_task() -> None:
    """Whatever Hatchet takes as input and result."""
    values = [Order(pages=2), Sheet(1), {"a": 1}, None, Sheet]

    assert [as_mapping(value) for value in values] == [{"pages": 2}, {"number": 1}, {"a": 1}, None, None]


def test_a_value_that_cannot_be_shown_fails_no_task() -> None:
    """It is left out."""

    class Odd(BaseModel):
        value: object

    class Broken(BaseModel):
        value: int

        @field_serializer("value")
        def show(self, value: int) -> int:
            raise KeyError(value)

    assert [as_mapping(value) for value in (Odd(value=object()), Broken(value=1))] == [None, None]


async def test_a_cancellation_by_somebody_else_survives_the_interrupt() -> None:
    """What a task's own job asked for is taken back at its end, and nothing else, also if that comes meanwhile."""
    outcomes: list[bool] = []

    async def work(others: str) -> None:
        interrupt = TaskInterrupt()
        interrupt._cancel()
        if others == "before":
            task.cancel()
        elif others == "meanwhile":
            asyncio.get_running_loop().call_soon(task.cancel)
        outcomes.append(await interrupt.finish())

    for others in ("never", "before", "meanwhile"):
        task = asyncio.create_task(work(others))
        await task
    assert outcomes == [False, True, True]


def test_names() -> None:
    """A function's name becomes a kind, and a worker's name tells the attempt."""
    assert [kind_of(name) for name in ("Convert", "_scan", "größe", "x" * 70, "___")] == [
        "convert",
        "scan",
        "gr--e",
        "x" * 64,
        "task",
    ]
    assert [retry_of(name) for name in (run(7).worker_id, "host-1", "")] == [7, None, None]


def test_the_decorators_in_the_wrong_order() -> None:
    """Are refused, with the right one."""

    class Standalone:
        def __call__(self) -> None:
            raise NotImplementedError

    with pytest.raises(TypeError, match=r"not the Standalone: put it below @hatchet.task\(\)"):
        HatchetJobs().job()(Standalone())
