"""One picture of a watched job, for a terminal: never wider than it, and not higher where that can be helped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Group
from rich.text import Text

from milepost.client._cli.rendering import stage_rows, text
from milepost.client._cli.rendering.canvas import Canvas
from milepost.client._cli.rendering.connection_text import link_text
from milepost.client._cli.rendering.frame_parts import artifacts, header, notices, single_line, wrapped
from milepost.client._cli.rendering.state_style import SEVERITY_STYLES
from milepost.client._cli.rendering.watched_job import Watched
from milepost.v1 import Severity

__all__ = ["frame"]

_LOG_LINES = 5
_ARTIFACTS = 5
_STAGES_LEAST = 3
_WARNING_LINES = 3
_TO_READ = frozenset({Severity.SEVERITY_WARNING, Severity.SEVERITY_ERROR})


def frame(watched: Watched, canvas: Canvas) -> Group:
    """The job's line and bar, its stages, the last log lines, what it made, and how the connection is."""
    job = watched.job
    above = [*header(job, watched.estimate, canvas), *notices(job, canvas, watched.source.waiting)]
    below = [
        *_block(list(_log(watched, canvas))),
        *_block(list(artifacts(job, len(job.artifacts) if canvas.stands else _ARTIFACTS))),
        *_block([_footer(watched, canvas)]),
    ]
    rows = list(stage_rows.in_order(watched.fold))
    room = max(canvas.height - len(above) - len(below) - 2, _STAGES_LEAST)
    shown = stage_rows.choose(rows, len(rows) if canvas.stands else room)
    return Group(*above, *_block(list(stage_rows.picture(shown, canvas))), *below)


def _log(watched: Watched, canvas: Canvas) -> Iterator[Text]:
    for line in islice(watched.log, max(len(watched.log) - _LOG_LINES, 0), None):
        told = line.event.log_written
        stage = watched.fold.stages.get(told.stage_id)
        name = text.stage_name(stage) if stage is not None else text.clean(told.stage_id)
        time = _time(line.event.time, canvas)
        row = Text.assemble(
            (f"  {time}  ", "dim"),
            (f"{name} | " if name else "", "dim"),
            (line.text, SEVERITY_STYLES.get(told.severity, "")),
        )
        if told.severity in _TO_READ:
            yield from wrapped(row, len(time) + 4, _WARNING_LINES, canvas)
        else:
            yield single_line(row)


def _time(time: Timestamp, canvas: Canvas) -> str:
    """The time of day; with the date where that is another day than today."""
    clock, day = text.clock(time, canvas.zone), text.day(time, canvas.zone)
    return clock if day == text.day(canvas.now, canvas.zone) else f"{day} {clock}"


def _footer(watched: Watched, canvas: Canvas) -> Text:
    if watched.ended and not watched.behind:
        return single_line(Text(text.count(watched.cursor, "event"), style="dim"))
    words = link_text(watched, canvas.now)
    if watched.source.connection.state == "live":
        mark, style = canvas.marks.running, "green"
    else:
        mark, style = canvas.marks.pending, "yellow"
    at = f"  event {watched.cursor:,}" if watched.cursor else ""
    return single_line(Text.assemble((f"{mark} {words}", style), (at, "dim")))


def _block(lines: Sequence[Text]) -> Sequence[Text]:
    return [Text(""), *lines] if lines else []
