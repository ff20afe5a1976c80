"""Estimates in words, pictures and tables."""

from __future__ import annotations

import re

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.client._cli.rendering.estimate_text import queue_text, remaining_parts
from milepost.client._cli.rendering.history_text import history_lines
from milepost.client._cli.rendering.job_details import job_lines, job_picture
from milepost.client._cli.rendering.job_frame import frame
from milepost.client._cli.rendering.job_view import PlainView
from milepost.client._cli.rendering.tables import jobs_lines, jobs_table
from milepost.v1 import (
    Estimate,
    EstimateBasis,
    GetHistoryResponse,
    Job,
    JobStarted,
    JobState,
    JobSubmitted,
    StageHistory,
    Waiting,
    WaitingFor,
)
from tests.unit.command.drawing import drawn
from tests.unit.command.story import JOB_ID, Story, at, canvas, stamp


def estimate(
    median: float,
    most: float,
    basis: EstimateBasis.ValueType = EstimateBasis.ESTIMATE_BASIS_HISTORY,
    sample_size: int = 14,
) -> Estimate:
    """An estimate that was made ten seconds after the start."""
    return Estimate(
        remaining_p50=Duration(seconds=int(median), nanos=int(median % 1 * 1e9)),
        remaining_p90=Duration(seconds=int(most)),
        basis=basis,
        sample_size=sample_size,
        as_of=stamp(10),
    )


OVERDUE = Estimate(overdue=True, sample_size=14, basis=EstimateBasis.ESTIMATE_BASIS_HISTORY, as_of=stamp(10))
QUEUED = Waiting(
    waiting_for=WaitingFor.WAITING_FOR_TURN,
    workers=2,
    run=estimate(200, 310),
    start_p50=Duration(seconds=130),
    start_p90=Duration(seconds=300),
    jobs_ahead=2,
    jobs_waiting=5,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "about 03:20 left, at most 05:10, from 14 runs"),
        (10, "about 03:20 left, at most 05:10, from 14 runs"),
        (70.5, "about 02:19 left, at most 04:09, from 14 runs"),
        (209.5, "ending any moment, at most 01:50, from 14 runs"),
        (319.5, "ending any moment, from 14 runs"),
        (326.5, "longer than expected, from 14 runs"),
        (10_000, "longer than expected, from 14 runs"),
    ],
)
def test_it_counts_down_and_never_below_nothing(seconds: float, words: str) -> None:
    """From when it was made; a clock that is behind that adds nothing."""
    assert ", ".join(remaining_parts(estimate(200, 310), at(seconds))) == words


@pytest.mark.parametrize(("median", "most"), [(0.2, 1), (1.5, 3), (5, 7), (7.5, 13)])
def test_it_holds_while_the_server_makes_the_same_anew(median: float, most: float) -> None:
    """As of a job that is late: once it is off by a second, at the latest after the five of a list, which took turns
    of "about 00:01 left" and "longer than expected".
    """
    given = estimate(median, most)
    words = {remaining_parts(given, at(10 + tenths / 10))[0] for tenths in range(60)}
    assert {re.sub(r"[\d:]+", "N", each) for each in words} == {
        "about N left" if median >= 7 else "ending any moment"
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            estimate(200, 310, EstimateBasis.ESTIMATE_BASIS_WORKLOAD, 1),
            "about 03:20 left, at most 05:10, from 1 run, scaled to its workload",
        ),
        (
            estimate(200, 310, EstimateBasis.ESTIMATE_BASIS_PACE, 12),
            "about 03:20 left, at most 05:10, from its pace so far",
        ),
        (OVERDUE, "overdue, over three times the longest of 14 runs"),
        (Estimate(), ""),
    ],
)
def test_it_says_what_it_rests_on(given: Estimate, words: str) -> None:
    """Each basis has its words (rule 19); without a remaining time there are none."""
    assert ", ".join(remaining_parts(given, at(10))) == words


@pytest.mark.parametrize(
    ("waiting", "seconds", "words"),
    [
        (QUEUED, 10, "3rd of 5, starts in about 02:10, at most 05:00"),
        (QUEUED, 139.5, "3rd of 5, starts any moment, at most 02:50"),
        (QUEUED, 1000, "3rd of 5, starts any moment"),
        (Waiting(jobs_ahead=0, jobs_waiting=1), 0, "1st of 1"),
        (Waiting(jobs_ahead=11, jobs_waiting=12), 0, "12th of 12"),
        (Waiting(jobs_ahead=21, jobs_waiting=5), 0, "22nd in the queue"),
        (Waiting(), 0, "waits for its turn"),
    ],
)
def test_its_place_in_the_queue(waiting: Waiting, seconds: float, words: str) -> None:
    """Its place is among its own, unless others are ahead, too; a start that is unknown is not mentioned."""
    assert queue_text(waiting, at(seconds)) == words


def running() -> Story:
    """A job that runs, with an estimate."""
    story = Story()
    story.begin("scan")
    story.start(1, "scan", total=10)
    story.source.estimate = estimate(200, 310)
    return story


def queued() -> Story:
    """A job that waits for its turn."""
    story = Story()
    job = Job(job_id=JOB_ID, kind="archive", state=JobState.JOB_STATE_QUEUED, submit_time=stamp(0))
    story.tell(0, job_submitted=JobSubmitted(job=job))
    story.source.waiting = QUEUED
    return story


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "about 03:20 left, at most 05:10, from 14 runs"),
        (50, "about 03:20 left, at most 05:10, from 14 runs"),
        (40, "about 03:20 left, at most 05:10"),
        (20, "about 03:20 left"),
    ],
)
def test_a_picture_has_what_fits_under_its_bar(width: int, line: str) -> None:
    """What matters least is left out first."""
    lines = drawn(frame(running().watched, canvas(width, 10)), width).splitlines()

    assert line in lines


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            80,
            [
                "such a job takes about 03:20, at most 05:10, from 14 runs",
                "○ 3rd of 5, starts in about 02:10, at most 05:00; 2 workers take jobs of kind",
                "  'archive'",
            ],
        ),
        (
            50,
            [
                "such a job takes about 03:20, at most 05:10",
                "○ 3rd of 5, starts in about 02:10, at most 05:00;",
                "  2 workers take jobs of kind 'archive'",
            ],
        ),
    ],
)
def test_a_picture_of_a_queued_job(width: int, expected: list[str]) -> None:
    """How long such a job takes, and when it may start, are two things."""
    lines = drawn(frame(queued().watched, canvas(width, 10)), width).splitlines()

    assert [line for line in lines if line in expected] == expected


def test_a_job_that_was_queued_when_it_was_fetched() -> None:
    """A picture does not wait for a status; what was fetched does not outlive the job's start."""
    story = queued()
    story.source.waiting, story.watched.waiting_at_first = None, QUEUED
    assert "3rd of 5" in drawn(frame(story.watched, canvas(80, 10)), 80)

    story.tell(11, job_started=JobStarted(worker_id="box-1"))
    assert story.watched.waiting is None


def test_only_a_running_job_has_a_remaining_time() -> None:
    """What an ended or a cancelling job had is not shown."""
    for state in (JobState.JOB_STATE_CANCELLING, JobState.JOB_STATE_SUCCEEDED, JobState.JOB_STATE_QUEUED):
        story = running()
        story.watched.job.state = state
        assert "left" not in drawn(frame(story.watched, canvas(80, 10)), 80)


def test_a_job_as_it_stands() -> None:
    """`milepost get` has the same, drawn and as plain text."""
    job = running().watched.job
    job.estimate.CopyFrom(estimate(200, 310))
    waits = queued().watched.job

    assert "about 03:20 left, at most 05:10, from 14 runs" in drawn(job_picture(job, canvas(80, 10)), 80)
    assert "left       about 03:20, at most 05:10, from 14 runs" in list(job_lines(job, at(10)))
    lines = list(job_lines(waits, at(10), waiting=QUEUED))
    assert (
        "waiting    3rd of 5, starts in about 02:10, at most 05:00; 2 workers take jobs of kind 'archive'"
        in lines
    )
    assert "takes      about 03:20, at most 05:10, from 14 runs" in lines


def test_plain_lines_have_it_with_progress() -> None:
    """A line about progress ends with the remaining time."""
    story = running()
    lines: list[str] = []
    view = PlainView(lambda line: lines.append(line[10:]))
    view.event(story.progress(10, "scan", 5, 0.5), story.watched)

    assert lines == ["scan: 50%, 5 of 10, about 03:20 left"]


def listed(
    number: int,
    estimate: Estimate | None = None,
    state: JobState.ValueType = JobState.JOB_STATE_RUNNING,
) -> Job:
    """A job in a list."""
    return Job(
        job_id=f"{JOB_ID[:-1]}{number}",
        kind="archive",
        state=state,
        fraction=0.5,
        fraction_known=True,
        submit_time=stamp(0),
        start_time=stamp(1),
        owner="ann",
        estimate=estimate,
    )


def test_a_list_has_a_column_if_a_job_has_an_estimate() -> None:
    """It fits 80 cells, as ids give way. One that has run out has no value, nor has an attempt without one."""
    jobs = [
        listed(1, estimate(200, 310)),
        listed(2, estimate(0.5, 60)),
        listed(3, OVERDUE),
        listed(4, estimate(0, 0)),
        listed(5, estimate(200, 310), JobState.JOB_STATE_CANCELLING),
        listed(6, estimate(200, 310)),
    ]
    jobs[3].estimate.as_of.CopyFrom(stamp(4))
    jobs[5].start_time.CopyFrom(stamp(10.5))

    assert list(jobs_lines(jobs, at(11))) == [
        "JOB                                   KIND     STATE       DONE  TOOK   LEFT     AGE  OWNER",
        f"{JOB_ID[:-1]}1  archive  running     50%   00:10  03:19    11s  ann",
        f"{JOB_ID[:-1]}2  archive  running     50%   00:10  soon     11s  ann",
        f"{JOB_ID[:-1]}3  archive  running     50%   00:10  overdue  11s  ann",
        f"{JOB_ID[:-1]}4  archive  running     50%   00:10           11s  ann",
        f"{JOB_ID[:-1]}5  archive  cancelling  50%   00:10           11s  ann",
        f"{JOB_ID[:-1]}6  archive  running     50%   00:00           11s  ann",
    ]
    assert list(map(str, jobs_table(jobs[:1], at(11), 80))) == [
        "JOB                               KIND   STATE    DONE  TOOK   LEFT   AGE  OWNER",
        "019aa8c2-5f0e-7c…a1-9f3e3c1b7a21  arch…  running  50%   00:10  03:19  11s  ann",
    ]
    assert "LEFT" not in next(iter(jobs_lines([listed(1)], at(11))))


def test_a_history() -> None:
    """Runs, durations, stages with their shares, and how good estimates were."""
    history = GetHistoryResponse(
        runs=14,
        duration_p50=Duration(seconds=200),
        duration_p90=Duration(seconds=310),
        stages=[
            StageHistory(stage_id="scan", duration_p50=Duration(seconds=4, nanos=200_000_000), share=0.021),
            StageHistory(stage_id="transcribe/track-1", duration_p50=Duration(seconds=190), share=0.979),
        ],
        estimates=11,
        coverage=0.909,
        median_error=0.0042,
        mean_error=0.031,
    )

    assert list(history_lines("archive", history)) == [
        "kind       archive",
        "runs       14",
        "took       03:20 in the median, at most 05:10 in 9 of 10",
        "estimates  of 11 runs, off by 0.4% in the median, 3.1% on average; 91% ended in time",
        "stages     scan                 4.2s    2.1%",
        "           transcribe/track-1  03:10     98%",
    ]


def test_a_history_of_nothing() -> None:
    """It says so, and shows no figures."""
    assert list(history_lines("archive", GetHistoryResponse())) == [
        "kind       archive",
        "runs       none that succeeded",
    ]
    assert list(history_lines("archive", GetHistoryResponse(runs=1)))[-1] == "estimates  none yet"
