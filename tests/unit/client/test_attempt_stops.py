"""How an attempt stops its handler: once, and in the time that its reasons leave."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from milepost.client import JobContext
from milepost.client._worker.handlers import RegisteredHandler
from milepost.v1 import Cancellation, JobState, Resumed, Update
from tests.support import isolated
from tests.support.isolating import all_gone
from tests.support.rpc import eventually
from tests.unit.client.attempt_harness import AttemptHarness, names, rejected


@pytest.mark.parametrize("reason", ["LEASE_LOST", "JOB_ENDED"])
async def test_a_process_is_killed_when_its_job_is_lost(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that does not stop is killed, since another attempt may be running."""
    monkeypatch.setattr("milepost.client._worker.attempt.STOP_GRACE", 0.1)
    harness = AttemptHarness(RegisteredHandler(isolated.stubborn, "process"))
    (result,) = (await harness.report()).updates
    pids = [int(value.number_value) for value in result.log_written.fields.fields["pids"].list_value.values]
    harness.attempt.rejected(rejected(reason))
    async with asyncio.timeout(120):
        await harness.returned.wait()

    await all_gone(pids)
    assert harness.attempt.is_over


async def test_a_job_lost_during_cancellation_is_killed_at_once() -> None:
    """The server ended it after the grace period: the process is killed at once."""
    harness = AttemptHarness(RegisteredHandler(isolated.stubborn, "process"))
    (result,) = (await harness.report()).updates
    pids = [int(value.number_value) for value in result.log_written.fields.fields["pids"].list_value.values]
    harness.attempt.cancel(Cancellation())
    harness.attempt.rejected(rejected("JOB_ENDED"))
    async with asyncio.timeout(120):
        await harness.returned.wait()
    await all_gone(pids)


async def test_a_process_that_is_stopping_may_finish_its_cleanup_when_its_lease_is_lost(
    tmp_path: Path,
) -> None:
    """The loss of the lease shortens its time to stop to what such a process has anyway, but does not end it."""
    handler = RegisteredHandler(isolated.finishing_cleanup, "process")
    harness = AttemptHarness(handler, path=str(tmp_path))
    await harness.report()
    harness.attempt.cancel(Cancellation())

    async def is_cleaning_up() -> bool:
        return (tmp_path / "cleaning").exists()

    await eventually(is_cleaning_up)
    harness.attempt.rejected(rejected("LEASE_LOST"))
    (tmp_path / "go on").touch()
    async with asyncio.timeout(120):
        await harness.returned.wait()

    assert (tmp_path / "cleaned").exists()


@pytest.mark.parametrize("first", ["cancelled", "given back"])
async def test_a_further_reason_to_stop_does_not_interrupt_the_cleanup(first: str) -> None:
    """The handler is interrupted once; the job ends as cancelled if that is one of the reasons."""
    cleaned = asyncio.Event()

    async def cleans_up(job: JobContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            cleaned.set()

    harness = AttemptHarness(cleans_up)
    await asyncio.sleep(0)
    stop = [lambda: harness.attempt.cancel(Cancellation()), harness.attempt.give_back]
    for reason in stop if first == "cancelled" else reversed(stop):
        reason()
        await asyncio.sleep(0)
    await harness.returned.wait()
    report = await harness.report()

    assert cleaned.is_set()
    assert names(report) == ["cancel_acknowledged", "job_ended"]
    assert report.updates[-1].job_ended.state == JobState.JOB_STATE_CANCELLED


@pytest.mark.parametrize("resumed", [False, True])
async def test_a_process_is_killed_before_the_deadline(resumed: bool) -> None:
    """Whether the worker gets the cancellation at once, or on its next session."""
    harness = AttemptHarness(RegisteredHandler(isolated.stubborn, "process"))
    await harness.report()
    now = time.time_ns()
    cancellation = Cancellation()
    cancellation.request_time.FromNanoseconds(now)
    cancellation.deadline.FromNanoseconds(now + 400_000_000)
    if resumed:
        message = Resumed(job_id="j", acknowledged_report_sequence=1, cancellation=cancellation)
        harness.attempt.attached = False
        harness.attempt.resumed(message)
    else:
        harness.attempt.cancel(cancellation)
    updates: list[Update] = []
    while not updates or not updates[-1].HasField("job_ended"):
        updates += (await harness.report()).updates

    assert updates[-1].job_ended.message == "The handler did not stop in time, so its process was killed."
