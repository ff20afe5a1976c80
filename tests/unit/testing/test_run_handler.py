"""Handlers without a server."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from milepost.client import Cancelled, JobContext, JobFailure
from milepost.client._worker.handlers import RegisteredHandler
from milepost.testing import HandlerRun, run_handler, run_handler_async
from milepost.v1 import JobState, Stage, StageState


def copy(job: JobContext) -> dict[str, Any]:
    """Copies `n` files."""
    job.plan([Stage(stage_id="copy", weight=3), "verify"])
    with job.stage("copy", total=job.input["n"]) as stage:
        for number in stage.track(range(job.input["n"])):
            job.log(f"file {number}", stage=stage, number=number)
    with job.stage("verify") as stage:
        stage.skip("nothing to verify")
    job.artifact("index", "file:///index")
    job.emit("copied", {"n": job.input["n"]})
    return {"copied": job.input["n"], "kind": job.kind, "label": job.labels["a"], "attempt": job.attempt}


async def copy_async(job: JobContext) -> dict[str, Any]:
    """Copies, and waits forever after the third file."""
    async with job.stage("copy", total=5) as stage:
        for number in range(5):
            stage.advance()
            if number == 2:
                await asyncio.Event().wait()
    return {}


def test_record() -> None:
    """All that a handler reports is recorded, in order, with each step of progress."""
    run = run_handler(copy, {"n": 4}, kind="copy", labels={"a": "b"}, attempt=2)
    assert run.succeeded
    assert run.result == {"copied": 4, "kind": "copy", "label": "b", "attempt": 2}
    assert run.progress("copy") == [1, 2, 3, 4]
    assert [dict(line.fields)["number"] for line in run.logs] == [0, 1, 2, 3]
    assert run.stages["verify"].state == StageState.STAGE_STATE_SKIPPED
    assert run.stages["verify"].message == "nothing to verify"
    assert list(run.artifacts) == ["index"]
    assert run.custom_events == [("copied", {"n": 4})]
    assert run.fraction == 1.0
    assert [update.WhichOneof("update") for update in run.updates][:2] == ["stages_planned", "stage_started"]
    assert run.updates[-1].WhichOneof("update") == "job_ended"


def test_each_step_without_a_total() -> None:
    """Progress of a stage without a total is recorded for each step, too."""

    def count(job: JobContext) -> None:
        with job.stage("count") as stage:
            for _ in range(5):
                stage.advance()

    assert run_handler(count).progress("count") == [1, 2, 3, 4, 5]


def test_fraction_on_the_way() -> None:
    """`cancel_when` sees the job's fraction as a server computes it."""
    fractions: list[float] = []

    def watch(run: HandlerRun) -> bool:
        fractions.append(round(run.fraction, 3))
        return False

    run_handler(copy, {"n": 3}, labels={"a": ""}, cancel_when=watch)
    assert sorted(set(fractions)) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert fractions == sorted(fractions)


def test_failures() -> None:
    """A failure is recorded as subscribers would see it, together with the exception."""

    def fail(job: JobContext) -> None:
        raise JobFailure("NO_SPACE", "The disk is full.", retryable=True)

    async def crash(job: JobContext) -> None:
        raise KeyError("track")

    run = run_handler(fail)
    assert run.failure is not None
    assert (run.failure.code, run.failure.message, run.failure.retryable) == (
        "NO_SPACE",
        "The disk is full.",
        True,
    )
    assert isinstance(run.error, JobFailure)
    run = run_handler(crash)
    assert run.state == JobState.JOB_STATE_FAILED
    assert run.failure is not None
    assert run.failure.code == "KeyError"


def test_cancel_a_plain_handler() -> None:
    """It stops at the item after the report that `cancel_when` chose, and its callbacks run."""
    called: list[str] = []

    def handler(job: JobContext) -> dict[str, Any]:
        job.on_cancel(lambda: called.append("cancelled"))
        return copy(job)

    run = run_handler(handler, {"n": 9}, labels={"a": ""}, cancel_when=lambda run: len(run.logs) == 4)
    assert run.cancelled
    assert isinstance(run.error, Cancelled)
    assert run.progress("copy") == [1, 2, 3, 4]
    assert run.stages["copy"].state == StageState.STAGE_STATE_CANCELLED
    assert called == ["cancelled"]


def test_cancel_an_async_handler() -> None:
    """It is interrupted where it waits."""
    run = run_handler(copy_async, cancel_when=lambda run: run.progress("copy") == [1, 2, 3])
    assert run.cancelled
    assert run.progress("copy") == [1, 2, 3]
    assert run.stages["copy"].state == StageState.STAGE_STATE_CANCELLED


def test_success_despite_cancellation() -> None:
    """A handler that returns although it was cancelled has succeeded."""

    def finish(job: JobContext) -> dict[str, bool]:
        job.log("working")
        return {"cancelled": job.cancelled}

    run = run_handler(finish, cancel_when=lambda run: True)
    assert run.succeeded
    assert run.result == {"cancelled": True}


def test_stages_that_a_server_refuses() -> None:
    """A stage that starts twice, or within an unknown one, or such a plan, fails the handler; a worker would log it."""

    def twice(job: JobContext) -> None:
        for _ in range(2):
            with job.stage("scan"):
                pass

    def nowhere(job: JobContext) -> None:
        with job.stage("scan", parent="nowhere"):
            pass

    def planned_twice(job: JobContext) -> None:
        job.plan(["scan", "scan"])

    def planned_too_early(job: JobContext) -> None:
        job.plan([Stage(stage_id="pages", parent_stage_id="scan"), "scan"])

    assert "starts once" in str(run_handler(twice).error)
    assert "no stage 'nowhere'" in str(run_handler(nowhere).error)
    assert "'scan' is in the plan twice" in str(run_handler(planned_twice).error)
    assert "parents come before their children" in str(run_handler(planned_too_early).error)


async def test_in_a_running_loop() -> None:
    """In an async test the handler runs in the test's loop; `run_handler` says so."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def handler(job: JobContext) -> None:
        loops.append(asyncio.get_running_loop())

    with pytest.raises(RuntimeError, match="run_handler_async"):
        run_handler(handler)
    assert (await run_handler_async(handler)).succeeded
    assert loops == [asyncio.get_running_loop()]


async def test_a_cancelled_test() -> None:
    """Cancelling the test's own task interrupts the handler."""
    interrupted, started = asyncio.Event(), asyncio.Event()

    async def handler(job: JobContext) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            interrupted.set()

    task = asyncio.create_task(run_handler_async(handler))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await interrupted.wait()


def test_process_handlers_run_here() -> None:
    """A handler with run="process" runs in the process of the test."""
    threads: list[str] = []

    def handler(job: JobContext) -> None:
        threads.append(threading.current_thread().name)

    assert run_handler(RegisteredHandler(handler, "process"), job_id="j").succeeded
    assert threads == ["job j"]
