"""Picture of one job for a terminal: never wider than it, and no higher where possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from google.protobuf.timestamp_pb2 import Timestamp
from rich.cells import cell_len
from rich.console import Group
from rich.text import Text

from milepost.client._cli.rendering import stage_rows, text
from milepost.client._cli.rendering.canvas import (
    JOB_STYLES,
    SEVERITY_STYLES,
    Canvas,
    bar,
    pulse,
    single_line,
    wrapped,
)
from milepost.client._cli.rendering.connection_row import connection_row, is_over
from milepost.client._cli.rendering.estimate_text import estimate_parts
from milepost.client._cli.rendering.status_text import needs_attention, waiting_text
from milepost.client._cli.rendering.watched_job import WatchedJob
from milepost.contract.job_states import LEASED
from milepost.v1 import Estimate, Job, JobState, Severity, Waiting

__all__ = [
    "artifacts",
    "frame",
    "header",
    "notices",
]

# Rows of the picture that a notice, a warning or error, and an artifact's address take at most.
_NOTICE_LINE_LIMIT = 4
_WARNING_LINE_LIMIT = 3
_URI_ROWS = 20
_UNLIMITED = 1000

# The last log lines and artifacts that are shown, and stages at least, however low the terminal.
_LOG_LINE_LIMIT = 5
_ARTIFACT_LIMIT = 5
_MIN_STAGE_ROWS = 3

# Characters that a shortened id, kind and title keep.
_MIN_ID_WIDTH = 9
_MIN_KIND_WIDTH = 8
_MIN_TITLE_WIDTH = 8

_WRAPPED_SEVERITIES = frozenset({Severity.SEVERITY_WARNING, Severity.SEVERITY_ERROR})


def header(
    job: Job, canvas: Canvas, estimate: Estimate | None = None, waiting: Waiting | None = None
) -> Iterator[Text]:
    """Kind, id, state, percent and elapsed time, on one line if it fits; then the bar, and what is estimated."""
    style = JOB_STYLES.get(job.state, "")
    identity = _identity(job, style, canvas)
    pace = Text(_pace(job, canvas))
    gap = canvas.text_width - identity.cell_len - pace.cell_len
    if gap >= 2:
        yield single_line(Text.assemble(identity, " " * gap, pace))
    else:
        yield single_line(identity)
        yield single_line(pace)
    if text.is_known(job) or job.state not in LEASED:
        done = job.fraction if text.is_known(job) else 0.0
        yield bar(done, canvas.text_width, style=style, marks=canvas.marks)
    else:
        yield pulse(canvas.now.timestamp(), canvas.text_width, style=style, marks=canvas.marks)
    first, *more = estimate_parts(job, estimate, waiting, canvas.now) or ("",)
    if first:
        yield _fitting(first, more, canvas)


def notices(job: Job, canvas: Canvas, waiting: Waiting | None = None) -> Iterator[Text]:
    """What holds the job up: why it is queued, a failure, a retry, a cancellation."""
    if waiting is not None and job.state == JobState.JOB_STATE_QUEUED:
        style = "yellow" if needs_attention(waiting) else "dim"
        yield from _notice(
            waiting_text(waiting, job, canvas.now),
            style,
            canvas,
            mark=canvas.marks.pending,
        )
    if job.HasField("failure"):
        words = text.failure_text(job.failure)
        if job.state == JobState.JOB_STATE_QUEUED:
            wait = text.seconds_until(job.retry_time, canvas.now) if job.HasField("retry_time") else 0.0
            then = f", the next one in {text.elapsed(wait)}" if wait >= 1 else ""
            words = f"attempt {job.attempt} ended{then}: {words}"
        yield from _notice(words, "red", canvas)
    if job.HasField("cancellation"):
        yield from _notice(text.cancellation(job), "yellow", canvas)


def artifacts(job: Job, canvas: Canvas) -> Iterator[Text]:
    """Name, size and URI of the last artifacts, a line for each; of all, whole, if the picture is final."""
    shown = job.artifacts[0 if canvas.final else -_ARTIFACT_LIMIT :]
    names = [text.one_line(artifact.name, 60) for artifact in shown]
    sizes = [text.human_size(artifact.size_bytes) if artifact.size_bytes else "" for artifact in shown]
    name_width = max(map(cell_len, names), default=0)
    size_width = max(map(cell_len, sizes), default=0)
    for artifact, name, size in zip(shown, names, sizes, strict=True):
        pad = " " * (name_width - cell_len(name))
        uri = text.escaped(artifact.uri)
        line = Text.assemble("  ", (name, "bold"), pad, f"  {size:>{size_width}}  ", (uri, "dim"))
        if canvas.final:
            yield from wrapped(line, 4, _URI_ROWS, canvas)
        else:
            yield single_line(line)


def _fitting(first: str, more: Sequence[str], canvas: Canvas) -> Text:
    """The first part and those of the others that fit on the line with it."""
    shown = ""
    for part in more:
        if cell_len(f"{first}{shown}, {part}") > canvas.text_width:
            break
        shown += f", {part}"
    return single_line(Text.assemble(first, (shown, "dim")))


def _pace(job: Job, canvas: Canvas) -> str:
    """Percent or completed stages, and elapsed time: ``47%  00:12``."""
    if job.state == JobState.JOB_STATE_UNSPECIFIED:
        return ""
    if job.state == JobState.JOB_STATE_QUEUED:
        if not job.HasField("submit_time"):
            return "waiting"
        return f"waiting {text.elapsed(text.seconds_between(job.submit_time, canvas.now))}"
    parts = [text.progress(job)]
    if job.HasField("start_time"):
        parts.append(text.duration(job, canvas.now))
    return "  ".join(part for part in parts if part)


def _notice(words: str, style: str, canvas: Canvas, *, mark: str = "") -> Iterator[Text]:
    limit = _UNLIMITED if canvas.final else _NOTICE_LINE_LIMIT
    yield from wrapped(Text(f"{mark or canvas.marks.failed} {words}", style=style), 2, limit, canvas)


def _identity(job: Job, style: str, canvas: Canvas) -> Text:
    """Kind, title, id and state. If they do not fit, the title is shortened, then id and kind, but never the state."""
    names = [text.one_line(job.kind), text.title(job), text.one_line(job.job_id)]
    state = Text(text.job_state(job.state), style=style)
    for place, minimum in ((1, _MIN_TITLE_WIDTH), (2, _MIN_ID_WIDTH), (0, _MIN_KIND_WIDTH)):
        over = _identity_text(names, state).cell_len - canvas.text_width
        if over > 0:
            width = max(len(names[place]) - over, minimum)
            names[place] = text.shorten(names[place], width, canvas.marks.ellipsis)
    line = _identity_text(names, state)
    # Characters of a title may be two cells wide.
    return line if line.cell_len <= canvas.text_width else _identity_text((names[0], "", names[2]), state)


def _identity_text(names: Sequence[str], state: Text) -> Text:
    kind, title, job_id = names
    # The gap after a title is wider than those within it.
    return Text.assemble((kind, "bold"), " ", f"{title}  " if title else "", job_id, "  ", state)


def frame(watched: WatchedJob, canvas: Canvas) -> Group:
    """Draw header and bar, stages, the last log lines, artifacts and the state of the connection."""
    job = watched.job
    waiting = watched.waiting
    above = list(header(job, canvas, watched.estimate, waiting))
    title = text.title(job)
    if canvas.final and title not in above[0].plain:  # shortened there
        above += wrapped(Text(title), 2, _UNLIMITED, canvas)
    above += notices(job, canvas, waiting)
    below = [
        *_block(list(_log(watched, canvas))),
        *_block(list(artifacts(job, canvas))),
        *_block([_footer(watched, canvas)]),
    ]
    rows = list(stage_rows.tree_rows(watched.fold))
    available = max(canvas.height - len(above) - len(below) - 2, _MIN_STAGE_ROWS)
    visible = stage_rows.select_rows(rows, len(rows) if canvas.final else available)
    return Group(*above, *_block(list(stage_rows.stage_lines(visible, canvas))), *below)


def _log(watched: WatchedJob, canvas: Canvas) -> Iterator[Text]:
    for line in islice(watched.log, max(len(watched.log) - _LOG_LINE_LIMIT, 0), None):
        log = line.event.log_written
        stage = watched.fold.stages.get(log.stage_id)
        name = text.stage_name(stage) if stage is not None else text.escaped(log.stage_id)
        time = _time(line.event.time, canvas)
        row = Text.assemble(
            (f"  {time}  ", "dim"),
            (f"{name} | " if name else "", "dim"),
            (line.text, SEVERITY_STYLES.get(log.severity, "")),
        )
        if log.severity in _WRAPPED_SEVERITIES:
            yield from wrapped(row, len(time) + 4, _WARNING_LINE_LIMIT, canvas)
        else:
            yield single_line(row)


def _time(time: Timestamp, canvas: Canvas) -> str:
    """The time of day; with the date if it is not today."""
    clock, day = text.clock(time, canvas.zone), text.day(time, canvas.zone)
    return clock if day == text.day(canvas.now, canvas.zone) else f"{day} {clock}"


def _footer(watched: WatchedJob, canvas: Canvas) -> Text:
    is_complete = watched.ended or is_over(watched.source.connection, canvas)
    if is_complete and not watched.behind:
        return single_line(Text(text.count(watched.cursor, "event"), style="dim"))
    waited = (canvas.now - watched.connection_since).total_seconds()
    line = connection_row(watched.source.connection, waited, canvas, watched.behind)
    return line.append(f"  event {watched.cursor:,}" if watched.cursor else "", style="dim")


def _block(lines: Sequence[Text]) -> Sequence[Text]:
    return [Text(""), *lines] if lines else []
