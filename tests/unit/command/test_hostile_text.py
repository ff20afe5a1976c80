"""No text from a job, a worker or a server can control the terminal, whichever field it is in."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from rich.console import Group as RichGroup
from rich.console import RenderableType

from milepost.client._cli.rendering import message_json
from milepost.client._cli.rendering.comparison_json import comparison_json, group_comparison_json
from milepost.client._cli.rendering.diff_report import report_lines, report_picture
from milepost.client._cli.rendering.group_report import group_report
from milepost.client._cli.rendering.job_details import job_lines, job_picture
from milepost.client._cli.rendering.job_frame import frame
from milepost.client._cli.rendering.job_view import PlainView
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._cli.rendering.run_report import run_report
from milepost.client._cli.rendering.tables import jobs_lines, jobs_table
from milepost.client._cli.rendering.terminal import EscapingConsole
from milepost.client._diff.comparison import compare
from milepost.client._diff.groups import Group, compare_groups
from milepost.client._diff.paths import PathPatterns
from milepost.client._diff.run import Run
from milepost.client._diff.tolerance import Tolerance
from milepost.client._watch.connection_state import Connection
from milepost.contract.printable import escape, escape_json, escape_values
from milepost.v1 import Custom, Event, Job, JobState, StageState
from tests.support.hostile import HOSTILE, filled, obeyed
from tests.unit.command.story import START, Story, canvas

PAYLOADS = [field.name for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields]


def hostile_job(state: JobState.ValueType = JobState.JOB_STATE_RUNNING) -> Job:
    """A job with hostile text in every field."""
    job = filled(Job(), state=state)
    for stage in job.stages:
        stage.state = StageState.STAGE_STATE_FAILED
    return job


def hostile_events() -> Iterator[Event]:
    """An event of each payload."""
    for sequence, name in enumerate(PAYLOADS, 1):
        event = Event(job_id=HOSTILE, sequence=sequence, attempt=1)
        event.time.FromDatetime(START)
        filled(getattr(event, name)).SetInParent()
        yield event


def console(width: int) -> EscapingConsole:
    """A terminal of this width, with its output captured."""
    made = EscapingConsole()
    made.file, made.width = io.StringIO(), width
    return made


def drawn(picture: RenderableType, width: int) -> str:
    """What is written to a terminal to draw the picture."""
    made = console(width)
    made.print(picture)
    assert isinstance(made.file, io.StringIO)
    return made.file.getvalue()


def test_every_such_character_is_escaped() -> None:
    """Controls, format characters and separators in Unicode's classes, except visible signs."""
    seen = set("\n\t") | {
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf" and _is_sign(code)
    }
    missed = [
        f"U+{code:04X}"
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and chr(code) not in seen
        and escape(chr(code)) == chr(code)
    ]

    assert missed == []
    assert escape("naïve 日本 ✓ हिन्दी עברית العربية 👩") == "naïve 日本 ✓ हिन्दी עברית العربية 👩"


def _is_sign(code: int) -> bool:
    """Marks of Arabic, Syriac, Kaithi, hieroglyphs, shorthand and music, which are drawn or join what is drawn."""
    blocks = (
        (0x600, 0x605),
        (0x6DD, 0x6DD),
        (0x70F, 0x70F),
        (0x890, 0x891),
        (0x8E2, 0x8E2),
        (0x110BD, 0x110CD),
    )
    more = ((0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A))
    return any(first <= code <= last for first, last in (*blocks, *more))


@pytest.mark.parametrize("text", ["\x9b31m", "\u202e", "\U000e0041", "\ud800", HOSTILE])
def test_json_says_the_same(text: str) -> None:
    """Its escapes decode to the original text."""
    line = escape_json(json.dumps({text: text}, ensure_ascii=False))

    assert json.loads(line) == {text: text}
    assert obeyed(line) == []


@pytest.mark.parametrize("state", JobState.values())
def test_a_job(state: JobState.ValueType) -> None:
    """On a terminal, as text, as JSON, alone and in a table."""
    job = hostile_job(state)
    job.fraction = 0.5
    plain = [*job_lines(job, START), *jobs_lines([job], START)]

    for width in (30, 50, 80):
        lines = drawn(job_picture(job, canvas(width, 0)), width)
        rows = "".join(drawn(row, width) for row in jobs_table([job], START, width))
        assert obeyed(lines + rows) == []
        assert max(map(cell_len, (lines + rows).split("\n"))) <= width
    assert obeyed("\n".join(map(escape, plain))) == []
    assert len([*jobs_lines([job], START)]) == 2
    assert not any("\n" in line for line in plain)
    assert obeyed(message_json.message_line(job)) == []


def test_a_comparison() -> None:
    """Of two runs and of two groups: every field, the paths, and the values that differ."""
    runs = []
    for name in ("a", "b"):
        job = hostile_job(JobState.JOB_STATE_SUCCEEDED)
        job.result[f"{name}{HOSTILE}"] = name
        job.result[HOSTILE] = f"{HOSTILE}{name}"
        job.labels[name] = HOSTILE
        custom = Event(attempt=job.attempt, custom=Custom(type=HOSTILE, json=job.result))
        runs.append(Run(job, [custom], [Run(hostile_job(JobState.JOB_STATE_SUCCEEDED))]))
        runs[-1].job.first_sequence = 1
    found = compare(runs[0], runs[1], PathPatterns(), Tolerance(1, 0))
    alone = compare_groups(
        Group(HOSTILE, runs[:1]), Group(HOSTILE, runs[1:]), "", PathPatterns(), Tolerance()
    )
    runs[1].job.labels["pair"] = runs[0].job.job_id
    paired = compare_groups(
        Group(HOSTILE, runs[:1]), Group(HOSTILE, runs[1:]), "pair", PathPatterns(), Tolerance()
    )
    reports = [
        run_report(found, judges_durations=True),
        *(group_report(HOSTILE, HOSTILE, each, judges_durations=True) for each in (alone, paired)),
    ]

    assert (len(alone.presences) > 0, len(paired.recurring) > 0) == (True, True)
    for report in reports:
        for width in (30, 50, 80):
            shown = drawn(RichGroup(*report_picture(report, canvas(width, 0))), width)
            assert obeyed(shown) == []
            assert max(map(cell_len, shown.split("\n"))) <= width
        plain = [*report_lines(report)]
        assert obeyed("\n".join(map(escape, plain))) == []
        assert not any("\n" in line for line in plain)
    for said in (comparison_json(found), group_comparison_json(alone), group_comparison_json(paired)):
        assert obeyed(dump_json(said)) == []


def test_a_watched_job() -> None:
    """Every payload, in the picture and as lines, with a hostile connection error."""
    story = Story()
    written: list[str] = []
    view = PlainView(written.append)
    story.source.connection = Connection("reconnecting", 3.0, error=f"lost: {HOSTILE}")
    for event in hostile_events():
        story.watched.apply(event)
        view.event(event, story.watched)
        view.connection_changed(story.watched)
        for width in (30, 50, 80):
            shown = drawn(frame(story.watched, canvas(width, 0)), width)
            assert obeyed(shown) == []
            assert max(map(cell_len, shown.split("\n"))) <= width
        assert obeyed(message_json.message_line(event)) == []

    assert len(written) >= len(PAYLOADS)
    assert obeyed("\n".join(map(escape, written))) == []


def test_a_log_entry_on_a_terminal() -> None:
    """Its text, its values and nested values."""
    entry = escape_values(None, "", {"event": HOSTILE, HOSTILE: [HOSTILE, {"a": HOSTILE}], "n": 3})

    assert obeyed(repr(entry).replace("\\", "")) == []
    assert entry["event"] == escape(HOSTILE)
    assert entry["n"] == 3
