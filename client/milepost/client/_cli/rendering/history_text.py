"""What is known of the runs of a kind, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from google.protobuf.duration_pb2 import Duration
from rich.cells import cell_len

from milepost.client._cli.rendering import text
from milepost.v1 import GetHistoryResponse, StageHistory

__all__ = ["VALUE_COLUMN", "history_lines"]

VALUE_COLUMN: Final = 11
"""Where the values begin."""

_NAME_LIMIT = 40


def history_lines(kind: str, history: GetHistoryResponse) -> Iterator[str]:
    """Describe the history of a kind: a name and a value on each line, then its stages."""
    yield f"kind       {text.one_line(kind)}"
    if not history.runs:
        yield "runs       none that succeeded"
        return
    yield f"runs       {history.runs:,}"
    median, most = _seconds(history.duration_p50), _seconds(history.duration_p90)
    yield f"took       {median} in the median, at most {most} in 9 of 10"
    yield f"estimates  {_quality(history)}"
    yield from _stages(history.stages)


def _quality(history: GetHistoryResponse) -> str:
    if not history.estimates:
        return "none yet"
    return (
        f"of {text.count(history.estimates, 'run')}, off by {_share(history.median_error)} in the median, "
        f"{_share(history.mean_error)} on average; {_share(history.coverage)} ended in time"
    )


def _stages(stages: Sequence[StageHistory]) -> Iterator[str]:
    names = [text.one_line(stage.stage_id, _NAME_LIMIT) for stage in stages]
    durations = [_seconds(stage.duration_p50) for stage in stages]
    name_width, duration_width = max(map(cell_len, names), default=0), max(map(len, durations), default=0)
    for number, (stage, name, took) in enumerate(zip(stages, names, durations, strict=True)):
        pad = " " * (name_width - cell_len(name))
        yield f"{'' if number else 'stages':<9}  {name}{pad}  {took:>{duration_width}}  {_share(stage.share):>6}"


def _seconds(duration: Duration) -> str:
    return text.elapsed(duration.seconds + duration.nanos / 1e9, tenths=True)


def _share(fraction: float) -> str:
    """A fraction as percent, with a decimal below ten: ``0.4%``, ``12%``."""
    percent = fraction * 100
    return f"{percent:.1f}%" if percent < 9.95 else f"{percent:.0f}%"
