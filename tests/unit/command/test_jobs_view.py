"""The picture of many jobs."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from google.protobuf.duration_pb2 import Duration
from rich.console import Console

from milepost.client._cli.rendering.jobs_view import Jobs, LiveJobsView
from milepost.client._watch.connection_state import Connection
from milepost.fold import Fold
from milepost.v1 import Estimate, Job, JobState
from tests.unit.command.drawing import drawn
from tests.unit.command.story import at, canvas, stamp

LOST = "The server cannot be reached: Connection refused"


@pytest.fixture
def jobs() -> Jobs:
    """Two jobs that run."""
    return {
        name: Fold(
            Job(
                job_id=name,
                kind="k",
                state=JobState.JOB_STATE_RUNNING,
                submit_time=stamp(number),
                start_time=stamp(2),
            )
        )
        for number, name in enumerate(("a", "b"))
    }


def picture(view: LiveJobsView, seconds: float, height: int = 24, width: int = 60) -> list[str]:
    """Its lines."""
    return drawn(view.picture(canvas(width, seconds, height=height)), width).splitlines()


def test_the_connection_stands_below_the_jobs(jobs: Jobs) -> None:
    """With a countdown to the next attempt to connect."""
    now = [0.0]
    view = LiveJobsView(Console(file=io.StringIO()), clock=lambda: at(now[0]))

    assert picture(view, 0) == ["0 jobs", "", "○ connecting"]
    view.connection_changed(Connection("live"))
    view.item(jobs["a"].job, jobs)
    assert picture(view, 4)[-3:] == ["2 jobs: 2 running", "", "● live"]
    now[0] = 5.0
    view.connection_changed(Connection("reconnecting", 4.0, error=LOST))
    assert [picture(view, seconds)[-1] for seconds in (5, 7, 9)] == [
        "○ reconnecting in 4 s (Connection refused)",
        "○ reconnecting in 2 s (Connection refused)",
        "○ reconnecting (Connection refused)",
    ]


def test_a_watch_that_has_stopped_is_not_live(jobs: Jobs) -> None:
    """The jobs go on, and the last picture does not; where the connection was lost it still says so."""
    view = LiveJobsView(Console(file=io.StringIO()), clock=lambda: at(4))
    view.connection_changed(Connection("live"))
    view.item(jobs["a"].job, jobs)
    stopped = replace(canvas(60, 4), stopped=True)
    assert drawn(view.picture(stopped), 60).splitlines()[-1] == "2 jobs: 2 running"

    view.connection_changed(Connection("reconnecting", 0.0, error=LOST))
    assert drawn(view.picture(stopped), 60).splitlines()[-1] == "○ reconnecting (Connection refused)"


def test_the_table_leaves_room_for_the_connection(jobs: Jobs) -> None:
    """Jobs that do not fit are left out, never the lines below them."""
    view = LiveJobsView(Console(file=io.StringIO()))
    view.connection_changed(Connection("live"))
    view.item(jobs["a"].job, jobs)
    lines = picture(view, 4, height=7)

    assert [line.split("  ")[0] for line in lines] == ["JOB", "b", "", "2 jobs: 2 running", "", "● live"]


def test_the_table_has_estimates_that_came_after_the_snapshots(jobs: Jobs) -> None:
    """The column comes with the first one, in words where there is room for them, and counted down."""
    view = LiveJobsView(Console(file=io.StringIO()))
    view.item(jobs["a"].job, jobs)
    before = picture(view, 4)
    later = Estimate(remaining_p50=Duration(seconds=60), remaining_p90=Duration(seconds=80), as_of=stamp(3))
    view.estimate_of = lambda job: later if job.job_id == "b" else None
    after = picture(view, 13)

    assert "LEFT" not in before[0].split()
    assert after[0].split()[5] == "LEFT"
    assert [line.split()[0] for line in after[1:3] if "00:50" in line] == ["b"]
    jobs["b"].job.job_id = "01a2190d-90d9-711f-b9c3-576141469263"
    jobs["b"].job.kind, jobs["b"].job.owner = "transcribe", "team-a"
    view.estimate_of = lambda job: later if len(job.job_id) > 1 else None
    assert [picture(view, 13, width=width)[:2] for width in (80, 50)] == [
        [
            "JOB                    KIND   STATE    DONE  TOOK   LEFT              AGE  OWNER",
            "01a2190d-9…6141469263  tran…  running        00:11  about 00:50 left  12s  team…",
        ],
        [
            "JOB        KIND   STATE    DONE  TOOK   LEFT   AGE",
            "01a2…9263  tran…  running        00:11  00:50  12s",
        ],
    ]
    final = view.picture(replace(canvas(50, 13), final=True))
    assert drawn(final, 50).splitlines()[:4] == [
        "JOB",
        "  KIND     STATE    DONE  TOOK   LEFT   AGE  OWNER",
        "01a2190d-90d9-711f-b9c3-576141469263",
        "  transc…  running        00:11  00:50  12s  team…",
    ]
