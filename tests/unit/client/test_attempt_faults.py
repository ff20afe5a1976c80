"""An attempt whose reports the server refuses, and one whose handler fails while it is stopped."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from milepost.client import JobContext
from milepost.v1 import JobState
from tests.unit.client.attempt_harness import AttemptHarness, rejected

WINDOW = 5_000
"""Updates that may be sent before one is acknowledged."""


async def test_a_refused_update_is_no_refused_end() -> None:
    """Also if it is the last one of a full window, behind which the end waits: the job succeeds."""

    async def busy(job: JobContext) -> None:
        for number in range(WINDOW):
            job.log(str(number))

    harness = AttemptHarness(busy)
    await harness.returned.wait()
    sent = 0
    while sent < WINDOW:
        sent += len((await harness.report()).updates)
    harness.attempt.rejected(rejected("INVALID_FIELD", number=WINDOW))
    harness.attempt.acknowledged(WINDOW)
    report = await harness.report()

    assert (report.first_report_sequence, [update.job_ended.state for update in report.updates]) == (
        WINDOW + 1,
        [JobState.JOB_STATE_SUCCEEDED],
    )


async def test_an_error_of_a_job_that_is_given_back_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Its job has no failure that would tell it."""

    async def breaks_when_stopped(job: JobContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("boo")

    with caplog.at_level(logging.ERROR, "milepost.client"):
        harness = AttemptHarness(breaks_when_stopped)
        await asyncio.sleep(0)
        harness.attempt.give_back()
        await harness.returned.wait()

    assert caplog.messages == ["job j: the handler raised an exception"]


async def test_a_system_that_has_no_room_for_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job fails retryably, and the worker's other jobs go on."""

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def plain(job: JobContext) -> None:
        raise AssertionError("it has no thread")

    monkeypatch.setattr("threading.Thread.start", fail)
    harness = AttemptHarness(plain)
    (ended,) = (await harness.report()).updates

    failure = ended.job_ended.failure
    assert (failure.code, failure.retryable) == ("THREAD_NOT_STARTED", True)
