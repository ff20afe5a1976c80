"""What a handler returns or raises, and what that means for its job."""

from __future__ import annotations

import asyncio
import contextvars
import threading

from milepost.client import Cancelled, JobContext, JobFailure
from milepost.client.worker.current import current_job
from milepost.client.worker.handlers import Handler, Outcome, job_ended
from milepost.client.worker.reporter import Reporter
from milepost.client.worker.running import Running, start
from milepost.v1 import Job, JobEnded, JobState

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")


def started(handler: Handler) -> Running:
    """A handler at work on a job."""
    reporter = Reporter(lambda: None)
    return start(handler, JobContext(Job(job_id="j"), reporter), reporter)


async def outcome(handler: Handler) -> Outcome:
    """What becomes of a handler."""
    return await started(handler).outcome


async def test_an_async_handler_runs_in_the_loop() -> None:
    """As a task of its own."""

    async def handler(job: JobContext) -> dict[str, str]:
        return {"job": job.id, "thread": threading.current_thread().name}

    assert {"job": "j", "thread": threading.current_thread().name} == (await outcome(handler)).result


async def test_a_plain_handler_runs_in_a_thread() -> None:
    """Of its own, with the context variables of the worker; the loop goes on meanwhile."""
    variable.set("carried over")

    def handler(job: JobContext) -> dict[str, str]:
        return {"variable": variable.get(), "thread": threading.current_thread().name}

    assert {"variable": "carried over", "thread": "job j"} == (await outcome(handler)).result


async def test_the_job_is_at_hand_for_whatever_a_handler_calls() -> None:
    """In the loop and in a thread, and in the tasks and threads that go on from there; nowhere else."""

    async def in_loop(job: JobContext) -> dict[str, bool]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.to_thread(current_job))
        return {"here": current_job() is job, "there": task.result() is job}

    def in_thread(job: JobContext) -> dict[str, bool]:
        return {"here": current_job() is job, "there": asyncio.run(asyncio.to_thread(current_job)) is job}

    for handler in (in_loop, in_thread):
        assert {"here": True, "there": True} == (await outcome(handler)).result
    assert current_job() is None


async def test_an_interrupt_reaches_an_async_handler_at_its_next_await() -> None:
    """A plain one has to look for itself."""
    waiting = asyncio.Event()

    async def handler(job: JobContext) -> None:
        waiting.set()
        await asyncio.Event().wait()

    running = started(handler)
    await waiting.wait()
    running.interrupt()
    assert isinstance((await running.outcome).error, asyncio.CancelledError)


async def test_a_handler_that_is_interrupted_before_it_starts_has_stopped() -> None:
    """It never ran, and that is its outcome."""

    async def handler(job: JobContext) -> None:
        raise AssertionError

    running = started(handler)
    running.interrupt()
    assert isinstance((await running.outcome).error, asyncio.CancelledError)


async def test_tracebacks_begin_in_the_handler() -> None:
    """The frames of the SDK are nobody's business."""

    async def in_loop(job: JobContext) -> None:
        raise ValueError("boo")

    def in_thread(job: JobContext) -> None:
        raise ValueError("boo")

    def stops(job: JobContext) -> None:
        raise StopIteration

    for handler in (in_loop, in_thread):
        ended = job_ended(await outcome(handler), cancelled=False)
        assert ("ValueError", "boo") == (ended.failure.code, ended.failure.message)
        assert handler.__name__ in ended.failure.detail
        assert "handlers.py" not in ended.failure.detail.replace("test_handlers.py", "")
    assert "StopIteration" == job_ended(await outcome(stops), cancelled=False).failure.code


async def test_a_handler_that_cannot_be_called_fails_its_job() -> None:
    """A wrong signature is seen with the first job."""

    def handler() -> None: ...

    failed = job_ended(await outcome(handler), cancelled=False)  # type: ignore[arg-type]
    assert "TypeError" == failed.failure.code


def test_a_mapping_or_nothing_is_a_result() -> None:
    """Nothing gives an empty result."""
    ended = job_ended(Outcome(result={"n": 1}), cancelled=False)
    assert (JobState.JOB_STATE_SUCCEEDED, {"n": 1.0}) == (ended.state, dict(ended.result.items()))
    assert JobEnded(state=JobState.JOB_STATE_SUCCEEDED) == job_ended(Outcome(), cancelled=False)


def test_a_result_that_cannot_be_told_fails_the_job() -> None:
    """With a failure that says what is wrong with it."""
    for result, code, text in (
        ([1], "RESULT_INVALID", "returned list"),
        ({"a": object()}, "RESULT_INVALID", "result.a is of type object"),
        ({"a": "x" * 2_000_000}, "RESULT_TOO_LARGE", "at most 1,048,576 are allowed"),
    ):
        ended = job_ended(Outcome(result=result), cancelled=False)
        assert (JobState.JOB_STATE_FAILED, code) == (ended.state, ended.failure.code)
        assert text in ended.failure.message


def test_a_failure_says_itself() -> None:
    """Without a traceback, and within its bounds."""
    error = JobFailure("no such code!", "m" * 5000, detail="why", retryable=True)
    failure = job_ended(Outcome(error=error), cancelled=False).failure
    assert ("no_such_code_", "why", True) == (failure.code, failure.detail, failure.retryable)
    assert 4096 >= len(failure.message)
    assert failure.message.endswith("characters]")


def test_completion_may_win_over_a_cancellation() -> None:
    """A handler that returns although it was to stop has succeeded (rule 17)."""
    assert JobState.JOB_STATE_SUCCEEDED == job_ended(Outcome(result={}), cancelled=True).state


def test_a_handler_that_stops_when_cancelled_is_cancelled() -> None:
    """Also one that breaks while it is stopping; what broke is said."""
    for error in (asyncio.CancelledError(), Cancelled()):
        assert JobEnded(state=JobState.JOB_STATE_CANCELLED) == job_ended(Outcome(error=error), cancelled=True)
    broken = job_ended(Outcome(error=OSError("killed")), cancelled=True)
    assert (JobState.JOB_STATE_CANCELLED, "OSError while it was being cancelled: killed") == (
        broken.state,
        broken.message,
    )


def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    """Such as of something that the handler itself waited for."""
    ended = job_ended(Outcome(error=asyncio.CancelledError()), cancelled=False)
    assert (JobState.JOB_STATE_FAILED, "CancelledError") == (ended.state, ended.failure.code)
