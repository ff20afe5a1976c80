"""One attempt, from its assignment to its acknowledged end: its requests, and its reactions to answers."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re

import pytest

from milepost.client import JobContext, JobFailure
from milepost.client._worker.handlers import Handler, RegisteredHandler
from milepost.v1 import (
    Cancellation,
    JobState,
    Release,
    Resume,
    Resumed,
    Update,
    WorkRequest,
)
from tests.support import isolated
from tests.unit.client.attempt_harness import AttemptHarness, names, rejected


async def quick(job: JobContext) -> dict[str, object]:
    """Return at once."""
    job.log("hello")
    return {"n": 1}


async def endless(job: JobContext) -> None:
    """Wait until interrupted."""
    async with job.stage("s"):
        await asyncio.Event().wait()


async def test_an_attempt_ends_when_its_end_is_acknowledged() -> None:
    """The end must be durable; that the handler has returned is not enough."""
    harness = AttemptHarness(quick)
    report = await harness.report()
    while not report.updates[-1].HasField("job_ended"):
        more = await harness.report()
        assert report.first_report_sequence + len(report.updates) == more.first_report_sequence
        report.updates.extend(more.updates)
    assert (report.job_id, report.lease_token, report.first_report_sequence) == ("j", "t", 1)
    assert names(report) == ["log_written", "job_ended"]
    assert (harness.attempt.is_running, harness.attempt.is_over) == (False, False)
    harness.attempt.acknowledged(1)
    assert not harness.attempt.is_over
    harness.attempt.acknowledged(2)
    assert harness.attempt.is_over
    assert harness.changes == 2
    assert harness.says_nothing()


async def test_on_a_new_session_it_resumes_before_it_reports() -> None:
    """It waits for the server's answer, and then sends what the server lacks, under the same numbers."""
    harness = AttemptHarness(quick)
    await harness.report()
    harness.attempt.attached = False
    harness.send_queue.clear()
    assert harness.says_nothing()
    assert harness.attempt.resume_request() == WorkRequest(resume=Resume(job_id="j", lease_token="t"))
    harness.attempt.resumed(Resumed(job_id="j", acknowledged_report_sequence=1))
    report = await harness.report()
    assert (report.first_report_sequence, names(report)) == (2, ["job_ended"])


async def test_an_end_whose_refusal_was_not_received_is_reported_as_a_failure() -> None:
    """If the number of the end is used up but the job is open, the refusal was lost."""
    harness = AttemptHarness(quick)
    reported = 0
    while reported < 2:
        reported += len((await harness.report()).updates)
    harness.attempt.attached = False
    harness.attempt.resumed(Resumed(job_id="j", acknowledged_report_sequence=2))
    assert not harness.attempt.is_over
    report = await harness.report()
    ended = report.updates[0].job_ended
    assert (
        report.first_report_sequence,
        ended.state,
        ended.failure.code,
    ) == (3, JobState.JOB_STATE_FAILED, "RESULT_REFUSED")


async def test_a_gap_is_filled() -> None:
    """It sends again from the expected number."""
    harness = AttemptHarness(quick)
    reported = 0
    while reported < 2:
        reported += len((await harness.report()).updates)
    harness.attempt.rejected(rejected("REPORT_GAP", expected=1))
    report = await harness.report()
    assert (report.first_report_sequence, len(report.updates)) == (1, 2)


async def test_a_refused_update_does_not_stop_the_job() -> None:
    """The refused update has used up its number; the job continues."""
    harness = AttemptHarness(endless)
    await harness.report()
    harness.attempt.rejected(rejected("INVALID_FIELD", number=1))
    assert (harness.attempt.is_running, harness.attempt.is_over) == (True, False)


async def test_a_refused_end_is_reported_as_a_failure_then_released() -> None:
    """The job must end."""
    harness = AttemptHarness(quick)
    reported = 0
    while reported < 2:
        reported += len((await harness.report()).updates)
    harness.attempt.rejected(rejected("TOO_LARGE", number=2))
    harness.attempt.acknowledged(2)
    report = await harness.report()
    ended = report.updates[0].job_ended
    assert (
        report.first_report_sequence,
        ended.state,
        ended.failure.code,
        ended.failure.message,
    ) == (3, JobState.JOB_STATE_FAILED, "RESULT_REFUSED", "No.")
    harness.attempt.rejected(rejected("INVALID_FIELD", number=3))
    assert await harness.next() == WorkRequest(release=Release(job_id="j", lease_token="t"))
    assert harness.attempt.is_over


@pytest.mark.parametrize("reason", ["LEASE_LOST", "JOB_ENDED", "JOB_NOT_FOUND"])
async def test_a_lost_job_stops_its_handler_and_drops_its_reports(reason: str) -> None:
    """Reports of the stopping handler are dropped (rule 11)."""
    harness = AttemptHarness(endless)
    await harness.report()
    harness.attempt.rejected(rejected(reason))
    assert (harness.attempt.is_running, harness.attempt.is_over) == (True, True)
    if reason == "LEASE_LOST":  # if the refusal was of an earlier attempt, another worker gets this one
        assert await harness.next() == WorkRequest(release=Release(job_id="j", lease_token="t"))
    await harness.returned.wait()
    assert harness.says_nothing()
    assert harness.changes == 2


@pytest.mark.parametrize("acknowledged", [-1, 99])
async def test_a_server_that_lost_its_log_has_lost_the_job(acknowledged: int) -> None:
    """It asks for reports that are gone, or acknowledges reports that were never sent."""
    harness = AttemptHarness(endless)
    await harness.report()
    harness.attempt.acknowledged(1)
    harness.attempt.attached = False
    harness.attempt.resumed(Resumed(job_id="j", acknowledged_report_sequence=1 + acknowledged))
    assert harness.attempt.is_over
    # Its lease would be renewed as long as the session lasts, without a running handler.
    assert await harness.next() == WorkRequest(release=Release(job_id="j", lease_token="t"))


async def test_a_cancellation_is_acknowledged_once_and_then_ends_the_job() -> None:
    """However often the request comes; also with `resumed`."""
    harness = AttemptHarness(endless)
    await harness.report()
    harness.attempt.attached = False
    harness.attempt.resumed(Resumed(job_id="j", acknowledged_report_sequence=1, cancellation=Cancellation()))
    harness.attempt.cancel(Cancellation())
    updates: list[Update] = []
    while not updates or not updates[-1].HasField("job_ended"):
        updates += (await harness.report()).updates
    assert [update.WhichOneof("update") for update in updates] == [
        "cancel_acknowledged",
        "stage_ended",
        "job_ended",
    ]
    assert updates[-1].job_ended.state == JobState.JOB_STATE_CANCELLED


async def test_a_job_that_is_given_back_is_released_when_its_handler_has_stopped() -> None:
    """After all reports of the handler."""
    harness = AttemptHarness(endless)
    await harness.report()
    harness.attempt.give_back()
    assert names(await harness.report()) == ["stage_ended"]
    assert await harness.next() == WorkRequest(release=Release(job_id="j", lease_token="t"))
    assert harness.attempt.is_over


async def test_a_job_that_has_ended_is_not_given_back() -> None:
    """Its end only has to be reported."""
    harness = AttemptHarness(quick)
    await harness.returned.wait()
    harness.attempt.give_back()
    harness.attempt.abandon()
    assert names(await harness.report()) == ["log_written", "job_ended"]


async def test_a_job_whose_handler_does_not_stop_is_released_all_the_same() -> None:
    """At the end of the worker."""
    go_on = asyncio.Event()

    async def stubborn(job: JobContext) -> None:
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue

    harness = AttemptHarness(stubborn)
    await asyncio.sleep(0)
    harness.attempt.give_back()
    harness.attempt.abandon()
    assert (await harness.next()).HasField("release")
    assert (harness.attempt.is_running, harness.attempt.is_over) == (True, True)
    go_on.set()
    await harness.returned.wait()
    assert harness.says_nothing()


# The worker's log.


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines of the worker's log, without durations."""
    return [re.sub(r"\d+\.\d s", "N s", message) for message in caplog.messages]


async def fails(job: JobContext) -> None:
    """Fail with a JobFailure."""
    raise JobFailure("NO_DISK", "there is\nno disk")


async def breaks(job: JobContext) -> None:
    """Fail with an unexpected exception."""
    raise ValueError("boo")


@pytest.mark.parametrize(
    ("handler", "lines"),
    [
        (quick, ["job j succeeded after N s"]),
        (fails, ["job j failed after N s: there is no disk (NO_DISK)"]),
        (breaks, ["job j failed after N s: boo (ValueError)", "job j: the handler raised an exception"]),
        (
            RegisteredHandler(isolated.failing, "process"),
            ["job j failed after N s: 'how' (KeyError)", "job j: the handler raised an exception"],
        ),
    ],
    ids=["succeeds", "fails", "breaks", "in a process"],
)
async def test_an_end_is_logged(handler: Handler, lines: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """In one line with the duration; an unexpected exception with its location."""
    with caplog.at_level(logging.INFO, "milepost.client"):
        harness = AttemptHarness(handler)
        await harness.returned.wait()

    assert said(caplog) == lines
    assert [record.exc_info is not None for record in caplog.records] == [False, True][: len(lines)]


@pytest.mark.parametrize("handler", [breaks, RegisteredHandler(isolated.failing, "process")])
async def test_an_unexpected_exception_is_logged_with_its_source(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    """As an error, with the file, the line and the function, also from a process of its own."""
    with caplog.at_level(logging.ERROR, "milepost.client"):
        harness = AttemptHarness(handler)
        await harness.returned.wait()

    function = handler.function if isinstance(handler, RegisteredHandler) else handler
    name, file = function.__name__, inspect.getsourcefile(function)
    (line,) = re.findall(rf'File "{re.escape(str(file))}", line (\d+), in {name}', caplog.text)
    begin = inspect.getsourcelines(function)[1]
    assert 0 < int(line) - begin < 4


async def test_a_cancelled_job_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """When the handler has stopped."""
    with caplog.at_level(logging.INFO, "milepost.client"):
        harness = AttemptHarness(endless)
        await asyncio.sleep(0)
        harness.attempt.cancel(Cancellation())
        await harness.returned.wait()

    assert said(caplog) == ["job j: cancellation requested", "job j was cancelled after N s"]


async def test_a_job_that_is_lost_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """While its handler runs; and after that, if reports remain."""
    with caplog.at_level(logging.INFO, "milepost.client"):
        working = AttemptHarness(endless)
        await asyncio.sleep(0)
        working.attempt.rejected(rejected("LEASE_LOST"))
        await working.returned.wait()
        done = AttemptHarness(quick)
        await done.returned.wait()
        done.attempt.rejected(rejected("LEASE_LOST"))

    assert said(caplog) == [
        "job j: lease lost: LEASE_LOST: No.",
        "job j: the handler of the lost attempt stopped after N s",
        "job j succeeded after N s",
        "job j: lost before all of its reports were delivered: LEASE_LOST: No.",
    ]


async def test_an_end_that_is_refused_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With the reason."""
    harness = AttemptHarness(quick)
    await harness.returned.wait()
    report = await harness.report()
    number = report.first_report_sequence + len(report.updates) - 1
    with caplog.at_level(logging.INFO, "milepost.client"):
        harness.attempt.rejected(rejected("INVALID_FIELD", number=number))

    assert said(caplog)[-1] == "job j: the server refused the end; failing the job: No."
