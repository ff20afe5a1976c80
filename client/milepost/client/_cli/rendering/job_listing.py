"""Jobs as they stand: one with all that is known of it, and many as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from milepost.client._cli.rendering import json_line, stage_rows, table, text
from milepost.client._cli.rendering.canvas import JOB_STYLES, Canvas
from milepost.client._cli.rendering.job_frame import artifacts, header, notices
from milepost.client._cli.rendering.status_text import waiting_text
from milepost.client._message_json import to_json
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Job, Waiting

__all__ = ["job_lines", "job_picture", "jobs_lines", "jobs_table"]

_HEADINGS = ("JOB", "KIND", "STATE", "DONE", "TOOK", "AGE", "OWNER")
_STATE = 2
_SHRINK_ORDER = (-1, 1)


def job_picture(job: Job, canvas: Canvas, waiting: Waiting | None = None) -> Group:
    """A job for a terminal: its line and bar, what it waits for, its stages, what it made, and the facts."""
    estimate = job.estimate if job.HasField("estimate") else None
    shown = stage_rows.VisibleStages(list(stage_rows.tree_rows(Fold(job))), "")
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(job, canvas.zone):
        facts.add_row(f"  {name}", Text(value))
    blocks: list[RenderableType] = [*header(job, estimate, canvas), *notices(job, canvas, waiting)]
    for block in (
        list(stage_rows.stage_lines(shown, canvas)),
        list(artifacts(job, len(job.artifacts))),
        [facts],
    ):
        if block:
            blocks += [Text(""), *block]
    return Group(*blocks)


def job_lines(
    job: Job, now: datetime, zone: tzinfo | None = None, *, waiting: Waiting | None = None
) -> Iterator[str]:
    """A job as plain text: a name and a value on each line."""
    fold = Fold(job)
    lines = [
        ("job", text.label(job.job_id)),
        ("kind", text.label(job.kind)),
        ("state", text.job_state(job.state)),
    ]
    if done := text.progress(job):
        lines.append(("done", done.removesuffix(" done")))
    if job.HasField("start_time"):
        lines.append(("took", text.duration(job, now)))
    if job.HasField("estimate") and not has_ended(job):
        lines.append(("left", text.minutes(text.remaining(job.estimate, now))))
    if waiting is not None:
        lines.append(("waiting", waiting_text(waiting, job.kind)))
    if job.HasField("failure"):
        lines.append(("failure", text.failure_text(job.failure)))
    if job.HasField("cancellation"):
        lines.append(("cancel", text.cancellation(job)))
    lines += [
        ("stage", f"{'  ' * row.depth}{stage_rows.stage_text(row.stage, now)}")
        for row in stage_rows.tree_rows(fold)
    ]
    lines += [("artifact", text.artifact(artifact)) for artifact in job.artifacts]
    for name, value in [*lines, *_facts(job, zone)]:
        first, *more = value.split("\n")
        yield f"{name:<9}  {first}".rstrip()
        for rest in more:
            yield f"{'':<9}  {rest}".rstrip()


def jobs_table(jobs: Sequence[Job], now: datetime, width: int) -> Iterator[Text]:
    """Jobs for a terminal that is so many cells wide.

    Where they do not fit, owners and kinds are cut first, then ids, of which both ends stay; then columns are left out
    from the right, but never the state.
    """

    def style(row: int, column: int) -> str:
        return JOB_STYLES.get(jobs[row - 1].state, "") if column == _STATE else ""

    return table.fitted(_rows(jobs, now), width, yielding=_SHRINK_ORDER, ids=0, kept=_STATE + 1, style=style)


def jobs_lines(jobs: Sequence[Job], now: datetime) -> Iterator[str]:
    """Jobs as plain text."""
    return table.whole(_rows(jobs, now))


def _rows(jobs: Sequence[Job], now: datetime) -> list[tuple[str, ...]]:
    """The rows, headings first; without owners where there are none."""
    rows = [_HEADINGS, *(_cells(job, now) for job in jobs)]
    return rows if any(job.owner for job in jobs) else [row[:-1] for row in rows]


def _cells(job: Job, now: datetime) -> tuple[str, ...]:
    took = text.duration(job, now) if job.HasField("start_time") else ""
    age = text.age(text.seconds_between(job.submit_time, now))
    done = text.progress(job).removesuffix(" done")
    owner = text.label(job.owner)
    return text.label(job.job_id), text.label(job.kind), text.job_state(job.state), done, took, age, owner


def _facts(job: Job, zone: tzinfo | None) -> Iterator[tuple[str, str]]:
    """What is known of a job beyond how it goes; detail of a failure last, since it may be long."""
    if job.owner:
        yield "owner", text.clean(job.owner)
    if job.labels:
        yield (
            "labels",
            ", ".join(f"{text.label(key)}={text.label(value)}" for key, value in sorted(job.labels.items())),
        )
    if job.parent_job_id:
        yield "part of", text.label(job.parent_job_id)
    if job.attempt:
        most = max(job.retry_policy.max_attempts, 1)
        yield "attempt", f"{job.attempt} by worker {text.clean(job.worker_id)}, {most} allowed"
    for name, time in (("submitted", job.submit_time), ("started", job.start_time), ("ended", job.end_time)):
        if time.seconds:
            yield name, _date(time, zone)
    yield "events", f"{job.last_sequence:,}"
    if job.message:
        yield "message", text.clean(job.message)
    if job.HasField("input"):
        yield "input", text.clean(json_line.dump_json(to_json(job.input)))
    if job.HasField("result"):
        yield "result", text.clean(json_line.dump_json(to_json(job.result)))
    if job.failure.detail:
        yield "detail", text.clean(job.failure.detail)


def _date(time: Timestamp, zone: tzinfo | None) -> str:
    return time.ToDatetime(tzinfo=UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
