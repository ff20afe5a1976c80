"""The plain view: few lines, one for each relevant change."""

from __future__ import annotations

from datetime import UTC

import pytest

from milepost.client._cli.rendering.job_view import PlainView, WarningView
from milepost.client._watch.connection_state import Connection
from milepost.v1 import ChildrenProgressed, JobEnded, JobState, Severity
from tests.unit.command.story import JOB_ID, START, Story


@pytest.fixture
def lines() -> list[str]:
    """What the view has written."""
    return []


@pytest.fixture
def view(lines: list[str]) -> PlainView:
    """The view."""
    return PlainView(lines.append, zone=UTC)


def test_a_job_from_beginning_to_end(view: PlainView, lines: list[str]) -> None:
    """Each event is a line, with the time at which the server accepted it."""
    story = Story()
    story.begin("scan", "hash")
    show = [
        story.start(2, "hash", total=4, unit="files"),
        story.progress(3.5, "hash", 2, 0.5, job_fraction=0.25),
        story.log(4, "unreadable:\nlib/x", "hash", Severity.SEVERITY_WARNING),
        story.end(5, "hash", job_fraction=0.5),
        story.tell(6, job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)),
    ]
    for event in show:
        view.event(event, story.watched)

    assert lines == [
        "12:00:02  hash: started, 4 files",
        "12:00:03  hash: 50%, 2 of 4 files",
        "12:00:04  hash | warning: unreadable:",
        "          lib/x",
        "12:00:05  hash: succeeded, 2 files in 3.0s",
        "12:00:06  succeeded in 5.0s",
    ]


def test_progress_is_printed_by_tenths(view: PlainView, lines: list[str]) -> None:
    """A thousand steps of a long stage give nine lines and that of its start; its end has its own line."""
    story = Story()
    story.begin()
    view.event(story.start(2, "hash", total=1000), story.watched)
    for step in range(1, 1001):
        view.event(story.progress(2 + step / 50, "hash", step, step / 1000), story.watched)

    assert [line.partition(": ")[2] for line in lines] == [
        "started, 1,000",
        *(f"{tenth * 10}%, {tenth * 100} of 1,000" for tenth in range(1, 10)),
    ]


def test_progress_of_a_short_stage_is_not_worth_many_lines(view: PlainView, lines: list[str]) -> None:
    """A stage has at most a line per second."""
    story = Story()
    story.begin()
    view.event(story.start(2, "hash", total=1000), story.watched)
    for step in range(1, 1001):
        view.event(story.progress(2 + step / 1000, "hash", step, step / 1000), story.watched)

    assert lines == ["12:00:02  hash: started, 1,000"]


def test_slow_progress_is_printed_at_intervals(view: PlainView, lines: list[str]) -> None:
    """A slow stage, or one without a total, has a line every 30 s."""
    story = Story()
    story.begin()
    view.event(story.start(0, "scan", unit="files"), story.watched)
    for second in range(1, 71):
        view.event(story.progress(second, "scan", second, 0.0), story.watched)

    assert lines == [
        "12:00:00  scan: started",
        "12:00:30  scan: 30 files",
        "12:01:00  scan: 60 files",
    ]


def test_progress_of_children_is_printed_by_tenths(view: PlainView, lines: list[str]) -> None:
    """Like that of stages."""
    story = Story()
    story.begin(planned_children=100)
    for step in range(1, 31):
        result = ChildrenProgressed(total=100, ended=step, job_fraction=step / 100)
        view.event(story.tell(2 + step, children_progressed=result), story.watched)

    assert [f"{ended} of 100 children ended, {ended}% of the job is done" for ended in (1, 11, 21)] == [
        line.partition("  ")[2] for line in lines
    ]


def test_a_second_attempt_is_reported_from_its_beginning(view: PlainView, lines: list[str]) -> None:
    """A restarted stage counts from zero."""
    story = Story()
    story.begin()
    for attempt in (0, 10):
        view.event(story.start(2 + attempt, "hash", total=10), story.watched)
        view.event(story.progress(4 + attempt, "hash", 5, 0.5), story.watched)

    assert [line.partition(": ")[2] for line in lines] == ["started, 10", "50%, 5 of 10"] * 2


def test_the_connection_is_news_when_it_goes_and_when_it_comes(view: PlainView, lines: list[str]) -> None:
    """Attempts in between have no line."""
    story = Story()
    story.begin()
    for connection in (
        Connection("connecting"),
        Connection("live"),
        Connection("reconnecting", 0.0, error="The server cannot be reached: last error: Socket closed"),
        Connection("reconnecting", 0.2, error="The server cannot be reached: Connection refused"),
        Connection("reconnecting", 0.4, error="The server cannot be reached: Connection refused"),
        Connection("live", resumed_at=2),
    ):
        story.source.connection = connection
        story.watched.connection_changed(START)
        view.connection_changed(story.watched)

    assert [line.partition("  ")[2] for line in lines] == [
        "connection: reconnecting (Socket closed)",
        "connection: live, resumed at 2",
    ]


def test_waiting_for_the_end_reports_the_connection(lines: list[str]) -> None:
    """With the job's id, since nothing else is known of it."""
    story = Story()
    story.begin()
    waiting = WarningView(lines.append)
    for connection in (
        Connection("live"),
        Connection("reconnecting", 0.2, error="The server cannot be reached: Connection refused"),
        Connection("reconnecting", 0.4, error="The server cannot be reached: Connection refused"),
        Connection("live", resumed_at=2),
    ):
        story.source.connection = connection
        waiting.connection_changed(story.watched)

    assert lines == [
        f"Job {JOB_ID}: connection: reconnecting (Connection refused)",
        f"Job {JOB_ID}: connection: live, resumed at 2",
    ]


def test_an_unknown_event_is_skipped(view: PlainView, lines: list[str]) -> None:
    """An event of a later version of the contract has no line (rule 9)."""
    story = Story()
    view.event(story.tell(0), story.watched)

    assert lines == []
