"""An attempt whose reports the server refuses, and one whose handler fails while it is stopped."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from milepost.client import JobContext
from milepost.client._worker import attempt as attempt_module
from milepost.v1 import Cancellation, JobEnded, JobState
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


class Left(BaseException):
    """What asyncio would take for an error of its callback, and log."""


@pytest.mark.parametrize("error", [RuntimeError("unforeseen"), Left("unforeseen")], ids=repr)
@pytest.mark.parametrize("cancelled", [False, True])
async def test_an_end_that_cannot_be_converted_is_reported(
    error: BaseException, cancelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever nobody foresaw: the job ends, and the worker is told that its place is free."""

    def fail(*_: object, **__: object) -> JobEnded:
        raise error

    async def waits(job: JobContext) -> None:
        await asyncio.Event().wait()

    async def returns(job: JobContext) -> None: ...

    monkeypatch.setattr(attempt_module, "job_ended", fail)
    harness = AttemptHarness(waits if cancelled else returns)
    if cancelled:
        await asyncio.sleep(0)  # it begins
        harness.attempt.cancel(Cancellation())
    async with asyncio.timeout(120):
        await harness.returned.wait()
    ended = (await harness.report()).updates[-1].job_ended

    text = f"The end of the handler cannot be reported: {type(error).__name__}: unforeseen."
    if cancelled:
        assert ended == JobEnded(state=JobState.JOB_STATE_CANCELLED, message=text)
    else:
        assert (ended.state, ended.failure.code, ended.failure.retryable) == (
            JobState.JOB_STATE_FAILED,
            "END_NOT_REPORTABLE",
            False,
        )
        assert ended.failure.message == f"{text} Return plain JSON values, or raise a JobFailure."


class Refusing(logging.Handler):
    """A handler of `logging` that raises."""

    def emit(self, record: logging.LogRecord) -> None:
        """Raise."""
        raise RuntimeError("the disk of the log is full")


@pytest.mark.parametrize("given_back", [False, True])
async def test_an_end_that_cannot_be_logged_is_reported(given_back: bool) -> None:
    """A handler of `logging` may raise, and so may Python while it formats an exception."""

    async def waits(job: JobContext) -> None:
        await asyncio.Event().wait()

    async def fails(job: JobContext) -> None:
        raise ValueError("boo")

    log, refusing = logging.getLogger("milepost.client"), Refusing(logging.ERROR)
    level = log.level
    try:
        harness = AttemptHarness(waits if given_back else fails)
        await asyncio.sleep(0)  # it begins
        log.addHandler(refusing)
        refusing.setLevel(logging.INFO)
        log.setLevel(logging.INFO)
        if given_back:
            harness.attempt.give_back()
        async with asyncio.timeout(120):
            await harness.returned.wait()
    finally:
        log.removeHandler(refusing)
        log.setLevel(level)
    request = await harness.next()

    reported = [update.job_ended.state for update in request.report.updates]
    assert (request.HasField("release"), reported) == (
        given_back,
        [] if given_back else [JobState.JOB_STATE_FAILED],
    )
