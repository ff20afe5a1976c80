"""Stages of a job as rows: in the order of their tree, limited to the available lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.text import Text

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.canvas import STAGE_STYLES, Canvas, Marks, bar, pulse
from milepost.fold import Fold
from milepost.v1 import Stage, StageState

__all__ = ["StageRow", "VisibleStages", "select_rows", "stage_lines", "stage_text", "tree_rows"]

_RUNNING_OR_FAILED = frozenset({StageState.STAGE_STATE_RUNNING, StageState.STAGE_STATE_FAILED})
_STARTED = frozenset(
    {
        StageState.STAGE_STATE_RUNNING,
        StageState.STAGE_STATE_SUCCEEDED,
        StageState.STAGE_STATE_FAILED,
        StageState.STAGE_STATE_CANCELLED,
    }
)
# In cells.
_GAP = "  "
_PERCENT_WIDTH = 4
_MIN_BAR_WIDTH, _MAX_BAR_WIDTH = 8, 40
_MIN_NAME_WIDTH, _MAX_NAME_WIDTH = 12, 32
_DETAIL_WIDTH = 26
_MAX_INDENT = 6


@dataclass(frozen=True)
class StageRow:
    """A stage and its depth in the tree."""

    stage: Stage
    depth: int


@dataclass(frozen=True)
class VisibleStages:
    """The visible rows, and a summary of the hidden ones, such as ``12 succeeded, 3 pending``."""

    rows: Sequence[StageRow]
    hidden: str


def tree_rows(fold: Fold) -> Iterator[StageRow]:
    """All stages in depth-first order; iterative, since they may nest a thousand deep."""
    stack = [StageRow(stage, 0) for stage in reversed(fold.children[""])]
    while stack:
        row = stack.pop()
        yield row
        children = fold.children[row.stage.stage_id]
        stack.extend(StageRow(stage, row.depth + 1) for stage in reversed(children))


def select_rows(rows: Sequence[StageRow], limit: int) -> VisibleStages:
    """Select at most ``limit`` rows, one of them the summary: running and failed stages, then their neighbors."""
    if len(rows) <= limit:
        return VisibleStages(rows, "")
    active = [index for index, row in enumerate(rows) if row.stage.state in _RUNNING_OR_FAILED]
    center = active[-1] if active else _first_pending(rows)
    ranked = sorted(
        range(len(rows)), key=lambda i: (rows[i].stage.state not in _RUNNING_OR_FAILED, abs(i - center))
    )
    selected = set(ranked[: max(limit - 1, 1)])
    counts = Counter(row.stage.state for index, row in enumerate(rows) if index not in selected)
    hidden = ", ".join(f"{number:,} {text.stage_state(state)}" for state, number in sorted(counts.items()))
    return VisibleStages([row for index, row in enumerate(rows) if index in selected], hidden)


def stage_lines(visible: VisibleStages, canvas: Canvas) -> Iterator[Text]:
    """A line for each row: symbol and name, bar, percent, elapsed time, amounts."""
    if not visible.rows:
        return
    width, now, marks = canvas.text_width, canvas.now, canvas.marks
    names = [_name(row, marks) for row in visible.rows]
    times = [_time(row.stage, now) for row in visible.rows]
    details = [_detail(row.stage, now) for row in visible.rows]
    name_width = min(max(map(cell_len, names)), _MAX_NAME_WIDTH, max(width // 3, _MIN_NAME_WIDTH))
    time_width = max(map(cell_len, times))
    available = width - name_width - _PERCENT_WIDTH - time_width - 3 * len(_GAP)
    detail_width = min(max(map(cell_len, details)), _DETAIL_WIDTH)
    bar_width = min(max(available - _DETAIL_WIDTH - len(_GAP), _MIN_BAR_WIDTH), _MAX_BAR_WIDTH)
    # Without space for both, the numbers say more than a bar.
    has_bars = available - detail_width - len(_GAP) >= _MIN_BAR_WIDTH
    for row, name, time, detail in zip(visible.rows, names, times, details, strict=True):
        style = STAGE_STYLES.get(row.stage.state, "")
        name_text = Text(name, style=style)
        name_text.truncate(name_width, overflow="ellipsis", pad=True)
        line = Text.assemble(
            name_text,
            _GAP,
            *((_bar(row.stage, bar_width, now=now, style=style, marks=marks), _GAP) if has_bars else ()),
            f"{_percent(row.stage):>{_PERCENT_WIDTH}}",
            _GAP,
            (f"{time:>{time_width}}{_GAP}{detail}", "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )
        line.rstrip()
        yield line
    if visible.hidden:
        yield Text(f"  {marks.ellipsis} and {visible.hidden}", style="dim", no_wrap=True, overflow="ellipsis")


def stage_text(stage: Stage, now: datetime) -> str:
    """A stage as plain text: name, state, percent, elapsed time, amounts."""
    done = _percent(stage) if stage.state == StageState.STAGE_STATE_RUNNING else ""
    parts = (text.stage_state(stage.state), done, _time(stage, now), _detail(stage, now))
    return f"{text.stage_name(stage)}: {', '.join(part for part in parts if part)}"


def _first_pending(rows: Sequence[StageRow]) -> int:
    pending = (i for i, row in enumerate(rows) if row.stage.state == StageState.STAGE_STATE_PENDING)
    return next(pending, len(rows) - 1)


def _name(row: StageRow, marks: Marks) -> str:
    return f"{'  ' * (min(row.depth, _MAX_INDENT) + 1)}{marks.stage(row.stage.state)} {text.stage_name(row.stage)}"


def _time(stage: Stage, now: datetime) -> str:
    if not stage.HasField("start_time"):
        return ""
    return text.duration(stage, now)


def _detail(stage: Stage, now: datetime) -> str:
    if stage.state == StageState.STAGE_STATE_PENDING:
        return ""
    if stage.HasField("failure"):
        return text.failure_text(stage.failure)
    total = stage.total if stage.HasField("total") else None
    done = stage.state == StageState.STAGE_STATE_SUCCEEDED and stage.current == total
    numbers = text.amount(stage.current, None if done else total, stage.unit)
    message = text.one_line(stage.message, 200)
    pace = ""
    if stage.state == StageState.STAGE_STATE_RUNNING and stage.HasField("start_time"):
        pace = text.rate(stage.current, text.seconds_between(stage.start_time, now), stage.unit)
    return " · ".join(part for part in (numbers, message, pace) if part)


def _percent(stage: Stage) -> str:
    return text.percent(stage.fraction) if stage.state in _STARTED and stage.fraction_known else ""


def _bar(stage: Stage, width: int, *, now: datetime, style: str, marks: Marks) -> Text:
    if stage.state not in _STARTED:
        return Text(" " * width)
    if stage.fraction_known:
        return bar(stage.fraction, width, style=style, marks=marks)
    if stage.state == StageState.STAGE_STATE_RUNNING:
        return pulse(now.timestamp(), width, style=style, marks=marks)
    return bar(0.0, width, style=style, marks=marks)
