"""The report on two groups of runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.diff_report import (
    CHANGE_STYLES,
    Block,
    Grid,
    difference_lines,
    listed,
    ratio_text,
)
from milepost.client._diff.groups import Group, GroupComparison, Medians, Presence, Recurring
from milepost.client._diff.paths import Path, format_path
from milepost.client._diff.sample import Sample

__all__ = ["group_report"]

_NAME_LIMIT: Final = 40
_HEADINGS: Final = ("MEDIAN", "A", "B", "B/A", "", "HALF OF A", "HALF OF B")
_NOTE: Final = 4


def group_report(kind: str, label: str, found: GroupComparison, *, judges_durations: bool) -> list[Block]:
    """The two groups, their durations side by side, and what differs between them."""
    blocks: list[Block] = [[*_groups(kind, label, found)], _medians(kind, found.medians)]
    differing = [
        *(_presence(part, found) for part in found.presences),
        *_recurring(found.recurring, found.pairs),
    ]
    if differing:
        blocks.append([*listed(differing)])
    blocks.append([*_summary(found, judges_durations)])
    return blocks


def _groups(kind: str, label: str, found: GroupComparison) -> Iterator[Text]:
    yield Text(f"{text.one_line(kind)} by {text.one_line(label)}", style="bold")
    for name, group in (("A", found.a), ("B", found.b)):
        yield Text(f"  {name}  {text.one_line(group.value)}: {_runs(group)}")
    if found.pairs:
        yield Text(
            f"  {text.count(found.pairs, 'pair')} of a run and its shadow; runs without one are left out"
        )


def _runs(group: Group) -> str:
    return text.count(len(group.runs), "run")


def _medians(kind: str, rows: Sequence[Medians]) -> Grid:
    cells = [
        (
            _name(kind, row.path),
            _median(row.a),
            _median(row.b),
            ratio_text(row.ratio),
            "" if row.judged is None else row.judged.value,
            _spread(row.a),
            _spread(row.b),
        )
        for row in rows
    ]
    styles = ["" if row.judged is None else CHANGE_STYLES[row.judged] for row in rows]
    return Grid([_HEADINGS, *cells], shrink_order=(0,), optional_columns=2, note_column=_NOTE, styles=styles)


def _name(kind: str, path: Path) -> str:
    """The kind of a job or the id of a stage, further in below children of children."""
    depth = len(path) // 2
    return f"{'  ' * depth}{text.one_line(str(path[-1]) if path else kind, _NAME_LIMIT)}"


def _median(found: Sample | None) -> str:
    return "-" if found is None else text.elapsed(found.median, tenths=True)


def _spread(found: Sample | None) -> str:
    if found is None or found.count < 2:
        return ""
    return f"{text.elapsed(found.low, tenths=True)}–{text.elapsed(found.high, tenths=True)}"


def _presence(part: Presence, found: GroupComparison) -> list[Text]:
    path = text.one_line(format_path(part.path))
    what = f"{path}  {text.one_line(part.value)}" if part.value else path
    counts = f"{part.a} of {len(found.a.runs)} in A, {part.b} of {len(found.b.runs)} in B"
    return [Text.assemble(f"  {what}  ", (counts, "yellow"))]


def _recurring(parts: Sequence[Recurring], pairs: int) -> Iterator[list[Text]]:
    """A few lines for each part, with the command for its example unless the part before has the same one."""
    shown = ""
    for part in parts:
        path = text.one_line(format_path(part.path))
        a, b = (text.one_line(run.job.job_id) for run in part.example)
        command = f"milepost diff {a} {b}"
        first, *values = difference_lines(part.difference)
        yield [
            Text.assemble(f"  {path}  ", (f"in {part.pairs} of {text.count(pairs, 'pair')}", "yellow")),
            *([] if command == shown else [Text(f"    for example: {command}")]),
            *([] if values else [Text.assemble("  ", first)]),
            *values,
        ]
        shown = command


def _summary(found: GroupComparison, judges_durations: bool) -> Iterator[Text]:
    count = len(found.presences) + len(found.recurring) + sum(row.judged is not None for row in found.medians)
    if found.is_same:
        yield Text("The groups are the same.", style="bold green")
    else:
        yield Text(f"The groups differ: {text.count(count, 'difference')}.", style="bold red")
    if not judges_durations:
        yield Text("Durations are only shown; --tolerance judges them.", style="dim")
