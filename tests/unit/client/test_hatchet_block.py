"""The block of an attempt of a Hatchet task run, without an engine."""

from __future__ import annotations

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest
from hatchet_sdk import Context

from milepost.client._attach import AttachedJob
from milepost.client._attach.attachment import Attachment
from milepost.client._transport.backoff import Backoff
from milepost.client._transport.unexplained_errors import UNEXPLAINED_LIMIT
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client.engines.hatchet import attempt_block
from milepost.client.engines.hatchet.attempt_block import AttemptBlock
from milepost.client.engines.hatchet.engine_state import EngineState, engine_reader
from milepost.client.engines.hatchet.jobs_of_runs import JobsOfRuns
from milepost.client.engines.hatchet.task_run import TaskRun
from milepost.client.errors import ServiceError
from milepost.v1 import Job, SubmitJobRequest


class Claim:
    """An attachment whose claim is in progress until it is cancelled, and a while longer."""

    def __init__(self, *, succeeds: bool) -> None:
        self.steps: list[str] = []
        self.begun = asyncio.Event()
        self._succeeds = succeeds

    async def claim(self, on_stop: object) -> AttachedJob:
        """Wait to be cancelled."""
        self.steps.append("claiming")
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            for _ in range(20):
                await asyncio.sleep(0)
            if not self._succeeds:
                self.steps.append("undone")
                raise
        self.steps.append("claimed")
        return AttachedJob(JobContext(JobControl(Job(job_id="j"), Reporter(lambda: None))))

    async def end(self, error: BaseException | None) -> None:
        """Note the end."""
        self.steps.append(f"ended by {type(error).__name__}")


def block_of(jobs: object, *, is_cancelled: bool) -> AttemptBlock:
    """The block of a task's first attempt, whose run Hatchet has cancelled or not."""
    context: Any = SimpleNamespace(
        is_cancelled=is_cancelled,
        workflow_run_id="w",
        task_run_id="t",
        _runs_client=SimpleNamespace(get_details=None),
    )
    run = TaskRun("t", 0, 1, {}, "j", "")
    return AttemptBlock(
        cast("JobsOfRuns", jobs), run, cast("Context", context), SubmitJobRequest(), lambda: None
    )


@pytest.mark.parametrize(
    ("succeeds", "cancelled", "steps"),
    [
        (False, True, ["claiming", "undone", "left"]),
        (False, False, ["claiming", "undone", "left"]),
        (True, True, ["claiming", "claimed", "ended by JobFailure", "left"]),
    ],
)
async def test_a_block_is_left_after_its_claim(succeeds: bool, cancelled: bool, steps: list[str]) -> None:
    """Where the thread of a plain task is interrupted while it claims, nothing of that goes on afterwards."""
    claim = Claim(succeeds=succeeds)
    nothing = SimpleNamespace(look=lambda reader: None, watch=lambda *arguments: None)
    jobs = SimpleNamespace(waiting=nothing, attachment=lambda run, request: cast("Attachment", claim))
    block = block_of(jobs, is_cancelled=False)
    entering = asyncio.create_task(block.enter())
    await claim.begun.wait()
    if cancelled:
        entering.cancel()

    await block.leave(KeyboardInterrupt())
    claim.steps.append("left")

    await asyncio.wait((entering,))
    assert claim.steps == steps


FAULT = ServiceError("error id 7", code=grpc.StatusCode.INTERNAL)


@pytest.mark.parametrize(
    ("faults", "calls", "messages"),
    [
        (UNEXPLAINED_LIMIT - 1, UNEXPLAINED_LIMIT, []),
        (UNEXPLAINED_LIMIT, UNEXPLAINED_LIMIT, ["job j: cancelling it failed: error id 7"]),
    ],
)
async def test_a_cancellation_by_hatchet_outlasts_faults_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    faults: int,
    calls: int,
    messages: list[str],
) -> None:
    """The job is cancelled by a later call; faults that come back end in a line in the log."""
    monkeypatch.setattr(attempt_block, "Backoff", partial(Backoff, initial=0.0))
    cancelled: list[str] = []

    async def cancel(job_id: str, reason: str) -> None:
        cancelled.append(job_id)
        if len(cancelled) <= faults:
            raise FAULT

    async def unknown() -> None:
        return None

    jobs = SimpleNamespace(cancel=cancel)
    block = block_of(jobs, is_cancelled=True)
    block._read_state = unknown
    await block._follow_hatchet(AttachedJob(JobContext(JobControl(Job(job_id="j"), Reporter(lambda: None)))))

    assert (len(cancelled), caplog.messages) == (calls, messages)


async def test_a_cancellation_that_comes_with_the_answer_of_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Is not lost: a block that has ended would cancel its job, which may wait for its next attempt."""

    async def answer(ask: object) -> EngineState:
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(reading.cancel)
        return EngineState("CANCELLED")

    monkeypatch.setattr(asyncio, "to_thread", answer)
    context: Any = SimpleNamespace(
        workflow_run_id="w", task_run_id="t", _runs_client=SimpleNamespace(get_details=None)
    )
    reading = asyncio.ensure_future(engine_reader(cast("Context", context))())
    await asyncio.wait((reading,))

    assert reading.cancelled()
