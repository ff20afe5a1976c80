"""The report on two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.text import Text

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.diff_report import (
    CHANGE_STYLES,
    DURATIONS,
    Block,
    Grid,
    difference_lines,
    listed,
    ratio_text,
)
from milepost.client._diff.comparison import Comparison, Row
from milepost.client._diff.paths import Path, format_path
from milepost.client._diff.run import seconds
from milepost.client._diff.values import Change
from milepost.v1 import Job, JobState, Stage, StageState

__all__ = ["run_report"]

_NAME_LIMIT: Final = 40
_ABSENT: Final = "-"


def run_report(found: Comparison, *, judges_durations: bool) -> list[Block]:
    """The two jobs, their stages and children side by side, and their differences."""
    blocks: list[Block] = [_jobs(found.a.job, found.b.job), _rows(found.rows)]
    # Those of durations stand in the table.
    if differing := [[*difference_lines(each)] for each in found.differences if each.change not in DURATIONS]:
        blocks.append([*listed(differing)])
    blocks.append([*_summary(found, judges_durations)])
    return blocks


def _jobs(a: Job, b: Job) -> Grid:
    # One that names the other job, as that of a shadow does, says nothing about how they ran.
    ids = {a.job_id, b.job_id}
    names = sorted({name for name, value in a.labels.items() ^ b.labels.items() if value not in ids})
    headings = ("", "JOB", "KIND", "STATE", "ATTEMPT", "WAITED", *map(text.one_line, names))
    rows = [(name, *_job_cells(job, names)) for name, job in (("A", a), ("B", b))]
    return Grid([headings, *rows], shrink_order=(2,), id_column=1, min_columns=4)


def _job_cells(job: Job, labels: Sequence[str]) -> tuple[str, ...]:
    waited = (
        text.elapsed(text.seconds_between(job.submit_time, job.first_start_time), tenths=True)
        if job.HasField("first_start_time")
        else ""
    )
    return (
        text.one_line(job.job_id),
        text.one_line(job.kind),
        text.job_state(job.state),
        str(job.attempt),
        waited,
        *(text.one_line(job.labels.get(name, ""), _NAME_LIMIT) for name in labels),
    )


def _rows(rows: Sequence[Row]) -> Grid:
    depths: dict[Path, int] = {}
    cells = []
    for row in rows:
        depth = depths[row.path] = _depth(row, depths)
        name = f"{'  ' * depth}{text.one_line(_name(row), _NAME_LIMIT)}"
        cells.append((name, _cell(row.a), _cell(row.b), ratio_text(row.ratio), _note(row)))
    styles = [_style(row) for row in rows]
    return Grid([("STAGE", "A", "B", "B/A", ""), *cells], shrink_order=(0,), note_column=4, styles=styles)


def _depth(row: Row, depths: Mapping[Path, int]) -> int:
    """The depth of a row: a stage is below its parent or, without one, below its job."""
    of = row.a if row.a is not None else row.b
    if isinstance(of, Stage):
        job = row.path[:-2]
        return 1 + depths.get((*job, "stages", of.parent_stage_id), depths[job])
    return 1 + depths[row.path[:-3]] if row.path else 0


def _name(row: Row) -> str:
    of = row.a if row.a is not None else row.b
    if isinstance(of, Stage):
        return of.stage_id
    return format_path(row.path[-2:]) if row.path else of.kind if of is not None else ""


def _cell(of: Job | Stage | None) -> str:
    """Duration, and the end state if it did not succeed."""
    if of is None:
        return _ABSENT
    took = seconds(of)
    words = [] if took is None else [text.elapsed(took, tenths=True)]
    if isinstance(of, Job):
        succeeded, state = of.state == JobState.JOB_STATE_SUCCEEDED, text.job_state(of.state)
    else:
        succeeded, state = of.state == StageState.STAGE_STATE_SUCCEEDED, text.stage_state(of.state)
    return " ".join(words if succeeded and words else [*words, state])


def _note(row: Row) -> str:
    if row.a is None:
        return "only in B"
    if row.b is None:
        return "only in A"
    return "" if row.judged is None else row.judged.value


def _style(row: Row) -> str:
    if row.a is None:
        return CHANGE_STYLES[Change.ADDED]
    if row.b is None:
        return CHANGE_STYLES[Change.MISSING]
    return "" if row.judged is None else CHANGE_STYLES[row.judged]


def _summary(found: Comparison, judges_durations: bool) -> Iterator[Text]:
    if found.differences:
        durations = sum(each.change in DURATIONS for each in found.differences)
        which = f", {durations:,} of them in durations" if durations else ""
        count = text.count(len(found.differences), "difference")
        yield Text(f"The runs differ: {count}{which}.", style="bold red")
    else:
        yield Text("The runs are the same.", style="bold green")
    if found.inputs:
        first = text.one_line(format_path(found.inputs[0].path), _NAME_LIMIT)
        yield Text(
            f"Their inputs differ: {text.count(len(found.inputs), 'difference')}, the first at {first}."
        )
    if not judges_durations:
        yield Text("Durations are only shown; --tolerance judges them.", style="dim")
