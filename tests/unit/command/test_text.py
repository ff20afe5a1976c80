"""Numbers, times and words for people."""

from __future__ import annotations

from datetime import UTC

import pytest

from milepost.client._cli.rendering import text
from milepost.v1 import Artifact, Cancellation, Failure, Job, JobState, Severity, Stage, StageState
from tests.unit.command.story import at, stamp


@pytest.mark.parametrize(
    ("expected", "text_"),
    [
        (r"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        (r"\x07 \x08 \x0d", "\a \b \r"),
        (r"\x85 \x9b1m", "\x85 \x9b1m"),
        (r"\x202eevil", "\u202eevil"),
        ("a   b", "a\tb"),
        ("one\ntwo", "one\r\ntwo\n"),
        ("naïve 日本 ✓", "naïve 日本 ✓"),
    ],
)
def test_text_of_a_job_cannot_steer_a_terminal(expected: str, text_: str) -> None:
    """Control characters are escaped; line ends and letters of all scripts stay."""
    assert text.escaped(text_) == expected


def test_a_line_is_clipped_visibly() -> None:
    """A long text is cut to one line that ends in an ellipsis."""
    assert text.one_line("one\n two ", 7) == "one two"
    assert text.one_line("one\n two three", 7) == "one tw…"


@pytest.mark.parametrize(
    ("expected", "fraction"),
    [("0%", 0.0), ("0%", 0.0099), ("29%", 0.29), ("99%", 0.9999), ("100%", 1.0), ("100%", 1.5), ("0%", -1.0)],
)
def test_percent_is_rounded_down(expected: str, fraction: float) -> None:
    """Only complete work is 100%."""
    assert text.percent(fraction) == expected


@pytest.mark.parametrize(
    ("expected", "seconds"),
    [
        ("00:00", -3.0),
        ("00:00", 0.9),
        ("00:12", 12.0),
        ("59:59", 3599.9),
        ("1:00:00", 3600.0),
        ("27:46:40", 1e5),
    ],
)
def test_a_length_of_time_is_minutes_and_seconds(expected: str, seconds: float) -> None:
    """MM:SS, preceded by hours if there are any."""
    assert text.elapsed(seconds) == expected


@pytest.mark.parametrize(
    ("expected", "seconds"), [("59s", 59.9), ("1m", 60.0), ("2h", 7300.0), ("1000d", 86_400_000.0)]
)
def test_an_age_is_in_its_largest_unit(expected: str, seconds: float) -> None:
    """One number and one unit are enough to tell how old a job is."""
    assert text.age(seconds) == expected


def test_a_time_of_day_is_in_the_zone_of_the_reader() -> None:
    """The zone can be given."""
    assert text.clock(stamp(5.9), UTC) == "12:00:05"


def test_seconds_are_never_negative() -> None:
    """Clocks of two machines may differ."""
    assert text.seconds_between(stamp(5), stamp(3)) == 0.0
    assert text.seconds_between(stamp(5), at(7)) == 2.0
    assert text.seconds_until(stamp(5), at(7)) == 0.0
    assert text.seconds_until(stamp(7), at(5)) == 2.0


def test_a_parent_none_of_whose_planned_children_has_progressed_is_at_0_percent() -> None:
    """No event tells of children that wait; of stages, and of children that nobody planned, the number is not known."""
    running = Job(state=JobState.JOB_STATE_RUNNING, attempt=1)
    parent = Job(state=JobState.JOB_STATE_RUNNING, attempt=1, planned_children=3)
    unplanned = Job(state=JobState.JOB_STATE_RUNNING, attempt=1, planned_children=3, fraction=0.2)
    staged = Job(state=JobState.JOB_STATE_RUNNING, planned_children=3, stages=[Stage(stage_id="s")])
    failed = Job(state=JobState.JOB_STATE_FAILED, attempt=1, planned_children=3)
    jobs = [parent, running, unplanned, staged, failed]
    assert [text.progress(job) for job in jobs] == ["0%", "", "", "", ""]


@pytest.mark.parametrize(
    ("expected", "size"),
    [
        ("0 B", 0),
        ("999 B", 999),
        ("1.0 kB", 1000),
        ("999.9 kB", 999_900),
        ("1.0 MB", 999_960),
        ("130.4 MB", 130_400_000),
        ("1.2 TB", 1.2e12),
        ("1,000,000.0 YB", 1e30),
    ],
)
def test_bytes_are_in_decimal_units(expected: str, size: float) -> None:
    """The largest unit of which there is at least one."""
    assert text.human_size(size) == expected


@pytest.mark.parametrize(
    ("expected", "current", "total", "unit"),
    [
        ("", 0, None, "files"),
        ("12 files", 12, None, "files"),
        ("1,234 of 9,000 files", 1234, 9000, "files"),
        ("0 of 3", 0, 3, ""),
        ("1.5 of 3 pages", 1.5, 3, "pages"),
        ("61.2 of 130.4 MB", 61_200_000, 130_400_000, "bytes"),
        ("0.0 of 130.4 MB", 300, 130_400_000, "Bytes"),
        ("300 of 900 B", 300, 900, "B"),
        ("61.2 MB", 61_200_000, None, "bytes"),
        (r"3 \x1b[2J", 3, None, "\x1b[2J"),
    ],
)
def test_an_amount_has_its_unit(expected: str, current: float, total: float | None, unit: str) -> None:
    """Bytes are shown in the unit of the total, other amounts as numbers."""
    assert text.amount(current, total, unit) == expected


def test_words_for_states() -> None:
    """States are words; one of a later version is its number."""
    assert text.job_state(JobState.JOB_STATE_CANCELLING) == "cancelling"
    assert text.job_state(JobState.JOB_STATE_UNSPECIFIED) == ""
    assert text.stage_state(StageState.STAGE_STATE_SKIPPED) == "skipped"
    assert text.severity(Severity.SEVERITY_UNSPECIFIED) == "info"
    assert text.severity(Severity.SEVERITY_WARNING) == "warning"


def test_a_stage_is_called_by_its_title() -> None:
    """A stage without a title is called by its id."""
    assert text.stage_name(Stage(stage_id="t/1", title="Track 1")) == "Track 1"
    assert text.stage_name(Stage(stage_id="t/1")) == "t/1"


def test_a_failure_has_code_and_sentence() -> None:
    """Each of them may be missing."""
    assert text.failure_text(Failure(code="NO_PATH", message="There\nis none.")) == "NO_PATH: There is none."
    assert text.failure_text(Failure(code="NO_PATH")) == "NO_PATH"
    assert text.failure_text(Failure(message="Why.")) == "Why."


def test_an_artifact_says_where_it_lies() -> None:
    """Name, size if known, and location."""
    assert (
        text.artifact(Artifact(name="m.json", uri="file:///m.json", size_bytes=2))
        == "m.json  2 B  file:///m.json"
    )
    assert text.artifact(Artifact(name="log", uri="s3://x")) == "log  s3://x"


def test_a_cancellation_names_its_requester_and_reason() -> None:
    """With its outcome."""
    text_ = Cancellation(requested_by="ann", reason="too slow", acknowledge_time=stamp(1), forced=True)
    said = {
        name: text.cancellation(Job(cancellation=text_, state=JobState.Value(f"JOB_STATE_{name}")))
        for name in ("CANCELLING", "CANCELLED", "SUCCEEDED")
    }

    assert said == {
        "CANCELLING": "cancellation requested by ann, heard by the worker: too slow",
        "CANCELLED": "cancelled by ann, without its worker: too slow",
        "SUCCEEDED": "cancellation was requested by ann: too slow",
    }
    assert text.cancellation(Job(cancellation=Cancellation())) == "cancellation requested"


@pytest.mark.parametrize(
    ("expected", "seconds"),
    [("0.0s", -1.0), ("0.4s", 0.44), ("9.9s", 9.94), ("00:09", 9.97), ("01:40", 100.0)],
)
def test_short_durations_have_tenths(expected: str, seconds: float) -> None:
    """Below ten seconds; whole seconds above."""
    assert text.elapsed(seconds, tenths=True) == expected


@pytest.mark.parametrize(
    ("expected", "current", "seconds", "unit"),
    [
        ("12.3 MB/s", 123e6, 10, "bytes"),
        ("41 files/s", 410, 10, "files"),
        ("4.5 files/s", 45, 10, "files"),
        ("24 files/min", 4, 10, "files"),
        ("", 4, 0.9, "files"),
        ("", 0, 10, "files"),
        ("", 4, 10, ""),
    ],
)
def test_a_rate_says_how_fast(expected: str, current: float, seconds: float, unit: str) -> None:
    """In units per second, or per minute if they are few; none before there is evidence."""
    assert text.rate(current, seconds, unit) == expected


@pytest.mark.parametrize(
    ("expected", "width"), [("0123456789", 10), ("0123…6789", 9), ("01…9", 4), ("0…", 2), ("…", 1), ("…", 0)]
)
def test_an_id_keeps_both_ends(expected: str, width: int) -> None:
    """The middle is left out, since it distinguishes least."""
    assert text.shorten("0123456789", width) == expected
