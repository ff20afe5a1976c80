"""The picture of a watched job on a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from textwrap import dedent

import pytest
from google.protobuf.duration_pb2 import Duration
from rich.cells import cell_len
from rich.console import Console

from milepost.client._cli.rendering.canvas import ASCII, UNICODE, Marks, marks_for
from milepost.client._cli.rendering.job_frame import frame
from milepost.client._watch.connection_state import Connection
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    AttemptEnded,
    Cancellation,
    CancelRequested,
    Estimate,
    EstimateBasis,
    Failure,
    JobEnded,
    JobState,
    Severity,
    Stage,
    StagesPlanned,
)
from tests.unit.command.drawing import drawn
from tests.unit.command.story import JOB_ID, Story, at, canvas, stamp


def picture(story: Story, seconds: float, width: int = 80, height: int = 24, marks: Marks = UNICODE) -> str:
    """The frame of a story at a time."""
    return drawn(frame(story.watched, canvas(width, seconds, height=height, marks=marks)), width)


@pytest.fixture
def midway() -> Story:
    """A job in the middle of its second stage, which has a child stage."""
    story = Story()
    story.begin("scan", "hash", Stage(stage_id="hash/1", parent_stage_id="hash"), "pack")
    story.start(1, "scan", unit="files")
    story.progress(1.5, "scan", 3412, 0.0)
    story.end(2, "scan", job_fraction=1 / 3)
    story.start(2, "hash", total=130.4e6, unit="bytes")
    story.start(2, "hash/1", parent_stage_id="hash", title="Part one", unit="bytes")
    story.log(3, "skipping the link\nlib/x", "hash", Severity.SEVERITY_WARNING)
    story.progress(9, "hash", 61.2e6, 0.47, job_fraction=0.49, message="lib/python/x.py")
    story.progress(9, "hash/1", 61.2e6, 0.0, job_fraction=0.49)
    artifact = Artifact(name="manifest.json", uri="file:///srv/manifest.json", size_bytes=51_234)
    story.tell(9, artifact_added=ArtifactAdded(artifact=artifact))
    story.source.estimate = Estimate(
        remaining_p50=Duration(seconds=14),
        remaining_p90=Duration(seconds=21),
        basis=EstimateBasis.ESTIMATE_BASIS_HISTORY,
        sample_size=14,
        as_of=stamp(12),
    )
    story.source.connection = Connection("live", resumed_at=7)
    return story


def test_a_job_midway(midway: Story) -> None:
    """Its line and bar, its stages with theirs, the last log lines, what it made, and the connection."""
    assert dedent(
        """\
            archive 019aa8c2-5f0e-7c11-b0a1-9f3e3c1b7a21  running                 49%  00:11
            ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━─────────────────────────────────────────
            about 00:14 left, at most 00:21, from 14 runs

              ✓ scan        ━━━━━━━━━━━━━━━━━━━━━━━  100%   1.0s  3,412 files
              ● hash        ━━━━━━━━━━╸────────────   47%  00:10  61.2 of 130.4 MB · lib/py…
                ● Part one  ━━━━━──────────────────        00:10  61.2 MB · 6.1 MB/s
              ○ pack

              12:00:03  hash | skipping the link
              12:00:03  hash | lib/x

              manifest.json  51.2 kB  file:///srv/manifest.json

            ● live, resumed at 7  event 12"""
    ) == picture(midway, 12)


def test_a_watch_that_has_stopped_is_not_live(midway: Story) -> None:
    """The last picture of a job that goes on has the number of its events; a lost connection is still named."""
    stopped = replace(canvas(80, 12), stopped=True)
    assert drawn(frame(midway.watched, stopped), 80).splitlines()[-1] == "12 events"

    midway.source.connection = Connection("reconnecting", 0.0, error="The server cannot be reached: gone")
    assert drawn(frame(midway.watched, stopped), 80).splitlines()[-1] == "○ reconnecting (gone)  event 12"


def test_the_last_picture_shows_the_title_and_addresses_of_artifacts_whole(midway: Story) -> None:
    """While the job runs, a line for each artifact; at the end the whole address, from which it is fetched."""
    uri = f"file:///srv/{'archives/' * 7}manifest.json"
    title = "The photographs of the summer, with those of the autumn"
    midway.watched.job.labels["title"] = title
    midway.tell(10, artifact_added=ArtifactAdded(artifact=Artifact(name="whole", uri=uri)))
    running = drawn(frame(midway.watched, canvas(50, 12)), 50)
    final = drawn(frame(midway.watched, replace(canvas(50, 12), final=True)), 50)

    assert ("whole" in running, uri in "".join(running.split())) == (True, False)
    assert uri in "".join(final.split())
    assert [title in " ".join(shown.split()) for shown in (running, final)] == [False, True]


def test_a_wide_terminal(midway: Story) -> None:
    """Bars have a maximum width, so that the eye can follow a line."""
    lines = picture(midway, 12, width=200).splitlines()

    assert 120 == len(lines[0]) == len(lines[1])
    assert (
        lines[5]
        == f"  ● hash        {'━' * 18}╸{'─' * 21}   47%  00:10  61.2 of 130.4 MB · lib/python/x.py · 6.1 MB/s"
    )


def test_a_narrow_terminal(midway: Story) -> None:
    """The id is shortened, bars are left out in favor of the numbers, and the state is there."""
    assert dedent(
        """\
            archive 019aa8c2-5f…f3e3c1b7a21  running
            49%  00:11
            ━━━━━━━━━━━━━━━━━━━╸────────────────────
            about 00:14 left, at most 00:21

              ✓ scan       100%   1.0s  3,412 files
              ● hash        47%  00:10  61.2 of 130…
                ● Part o…        00:10  61.2 MB · 6…
              ○ pack

              12:00:03  hash | skipping the link
              12:00:03  hash | lib/x

              manifest.json  51.2 kB  file:///srv/m…

            ● live, resumed at 7  event 12"""
    ) == picture(midway, 12, width=40)


@pytest.mark.parametrize("width", [1, 2, 8, 20, 33, 40, 61, 80, 120, 300])
def test_nothing_is_wider_than_the_terminal(midway: Story, width: int) -> None:
    """Whatever its width, no line wraps."""
    midway.log(10, "日本語" * 100)
    midway.tell(
        11, job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=Failure(code="X", message="y " * 300))
    )

    assert width >= max(cell_len(line) for line in picture(midway, 12, width=width).splitlines())


def test_a_terminal_without_unicode(midway: Story) -> None:
    """Marks and bars have a form in ASCII."""
    assert marks_for("iso-8859-1") == ASCII
    assert marks_for("utf-8") == UNICODE

    lines = picture(midway, 12, marks=ASCII).splitlines()

    assert lines[1] == "=" * 39 + "-" * 41
    assert lines[5] == "  * hash        ==========>------------   47%  00:10  61.2 of 130.4 MB · lib/py…"


def test_color_is_not_needed(midway: Story) -> None:
    """With and without color, the text is the same."""
    console = Console(
        file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor", no_color=True
    )
    with console.capture() as capture:
        console.print(frame(midway.watched, canvas(80, 12)))
    shown = capture.get()

    assert re.findall(r"\x1b\[[0-9;]*3[0-9]", shown) == []
    assert picture(midway, 12) == re.sub(r"\x1b\[[0-9;]*m", "", shown).rstrip("\n")


def test_before_the_first_event() -> None:
    """Something is drawn while the connection is made."""
    story = Story()
    story.watched.job.job_id, story.watched.job.kind = "j", "archive"
    story.source.connection = Connection(
        "connecting", 3.0, error="The server cannot be reached: Connection refused"
    )

    assert picture(story, 0, width=41).splitlines() == [
        "archive j",
        "─" * 41,
        "",
        "○ connecting in 3 s (Connection refused)",
    ]


def test_a_queued_job_waits() -> None:
    """It has no percentage, but its waiting time."""
    story = Story()
    story.begin()
    failure = Failure(code="WORKER_LOST", message="It was not heard from.")
    story.tell(5, attempt_ended=AttemptEnded(failure=failure, retry_time=stamp(9)))

    lines = picture(story, 6.5).splitlines()

    assert lines[0] == f"archive {JOB_ID}  queued" + " " * 15 + "waiting 00:06"
    assert lines[2] == "✗ attempt 1 ended, the next one in 00:02: WORKER_LOST: It was not heard from."


def test_a_job_that_is_being_cancelled() -> None:
    """The picture says who asked, and why."""
    story = Story()
    story.begin()
    story.tell(
        5, cancel_requested=CancelRequested(cancellation=Cancellation(requested_by="ann", reason="enough"))
    )

    lines = picture(story, 6).splitlines()

    assert lines[0].startswith(f"archive {JOB_ID}  cancelling ")
    assert lines[2] == "✗ cancellation requested by ann: enough"


def test_a_job_that_has_ended() -> None:
    """The picture says why it failed, its duration and number of events; times do not advance."""
    story = Story()
    story.begin("scan")
    story.start(2, "scan")
    failure = Failure(code="NO_PATH", message="There is no such path: /srv/photos/" + "x" * 60)
    story.tell(8, job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure))

    expected = dedent(
        f"""\
        archive {JOB_ID}  failed{" " * 20}0%  7.0s
        {"─" * 80}
        ✗ NO_PATH: There is no such path:
          /srv/photos/{"x" * 60}

          ✗ scan  {"─" * 30}        6.0s

        5 events"""
    )
    assert picture(story, 8) == expected
    assert picture(story, 1000) == expected


@pytest.mark.parametrize("width", [30, 50, 80])
def test_the_state_is_never_cut(width: int) -> None:
    """In a line that is too long the id is shortened first, then the kind."""
    story = Story()
    story.begin()
    story.watched.job.kind = "transcribe-and-translate"

    first = picture(story, 6, width=width).splitlines()[0]

    assert first.split()[2] == "running"
    assert first.split()[1].startswith("019a")
    assert first.split()[1].endswith("7a21")


def test_a_warning_is_read_to_its_end(midway: Story) -> None:
    """An error is wrapped, up to three lines; information is cut."""
    words = "the file lib/python/a-long-name.py cannot be read since its owner has no right to it"
    midway.log(10, words, "hash", Severity.SEVERITY_WARNING)
    midway.log(11, words, "hash")
    lines = picture(midway, 12, width=50).splitlines()
    first = next(number for number, line in enumerate(lines) if "the file" in line)

    assert [line.strip() for line in lines[first : first + 4]] == [
        "12:00:10  hash | the file",
        "lib/python/a-long-name.py cannot be",
        "read since its owner has no right to…",
        "12:00:11  hash | the file lib/python/a-long-nam…",
    ]


def test_the_last_picture_leaves_nothing_out() -> None:
    """While a job runs, its stages are collapsed to the terminal's height; after its end all are shown."""
    story = Story()
    names = [f"stage-{number}" for number in range(40)]
    story.begin(*names)
    for name in names:
        story.start(2, name)
        story.end(3, name)
    story.tell(8, job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
    last = drawn(frame(story.watched, replace(canvas(80, 8), final=True)), 80)

    assert "more" in picture(story, 8) or "… and" in picture(story, 8)
    assert re.findall(r"stage-\d+", last) == names


def test_a_line_of_another_day_has_its_date(midway: Story) -> None:
    """A job that spans days has dates with its times."""
    shown = picture(midway, 86_400)

    assert "2026-01-02 12:00:03  hash | lib/x" in shown


def test_a_lost_connection_counts_down(midway: Story) -> None:
    """The time of the next attempt to connect, and why the connection was lost."""
    midway.source.connection = Connection(
        "reconnecting", 3.2, error="The server cannot be reached: Connection refused"
    )
    midway.watched.connection_changed(at(10))

    assert picture(midway, 10).splitlines()[-1] == "○ reconnecting in 3 s (Connection refused)  event 12"
    assert picture(midway, 12).splitlines()[-1] == "○ reconnecting in 1 s (Connection refused)  event 12"
    assert picture(midway, 14).splitlines()[-1] == "○ reconnecting (Connection refused)  event 12"


def test_a_subscriber_that_is_behind_says_so(midway: Story) -> None:
    """During a replay the picture shows the past."""
    midway.source.head = 5012

    assert (
        picture(midway, 12).splitlines()[-1] == "● live, resumed at 7, 5,000 events to catch up on  event 12"
    )


def test_more_stages_than_lines() -> None:
    """Running stages and their neighbors are shown; the others are counted. The frame fits the terminal."""
    story = Story()
    story.begin()
    story.tell(
        1, stages_planned=StagesPlanned(stages=[Stage(stage_id=f"s{number:02d}") for number in range(60)])
    )
    for number in range(30):
        story.start(2, f"s{number:02d}", total=1)
        if number != 20:
            story.end(3, f"s{number:02d}")
    story.start(4, "s30", total=4)
    story.progress(5, "s30", 1, 0.25)

    lines = picture(story, 6, height=14).splitlines()

    assert [" ".join(line.split()[:2]) if "…" not in line else line.strip() for line in lines[3:-2]] == [
        *["● s20", "✓ s27", "✓ s28", "✓ s29", "● s30", "○ s31", "○ s32"],
        "… and 27 pending, 26 succeeded",
    ]
    assert len(lines) <= 13


def test_stages_may_nest_deep() -> None:
    """A thousand nested stages can be drawn; the indent has a maximum."""
    story = Story()
    story.begin()
    nested = [Stage(stage_id=f"s{n}", parent_stage_id=f"s{n - 1}" if n else "") for n in range(1000)]
    story.tell(1, stages_planned=StagesPlanned(stages=nested))

    lines = picture(story, 2, height=50).splitlines()

    assert len(lines) <= 49
    assert max(map(cell_len, lines)) <= 80


def test_a_job_whose_stages_nobody_planned() -> None:
    """An unknown total has no percentage: the bar is animated, and the completed amount is shown."""
    story = Story()
    story.begin()
    story.start(1, "scan")
    story.end(2, "scan", job_fraction=0.5)
    story.start(2, "hash", total=10)
    story.start(2, "hash/1", parent_stage_id="hash")
    story.end(4, "hash/1", job_fraction=0.5)

    head, bar, *rest = picture(story, 5).splitlines()
    assert head.endswith("running        1 stage done  00:04")
    assert (len(bar), bar.strip("─")) == (80, "━" * 20)
    assert [line for line in rest if "%" in line and "100%" not in line] == []
    assert "hash " in rest[2]
    assert "%" not in rest[2]
