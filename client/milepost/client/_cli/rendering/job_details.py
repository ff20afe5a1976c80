"""All that is known of one job: drawn for a terminal, and as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from milepost.client._cli.rendering import json_line, stage_rows, text
from milepost.client._cli.rendering.canvas import Canvas
from milepost.client._cli.rendering.estimate_text import remaining_parts, run_parts
from milepost.client._cli.rendering.job_frame import artifacts, header, notices
from milepost.client._cli.rendering.status_text import waiting_text
from milepost.client._message_json import to_json
from milepost.contract import limits
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Job, Waiting

__all__ = ["job_lines", "job_picture"]


def job_picture(job: Job, canvas: Canvas, waiting: Waiting | None = None) -> Group:
    """Draw a job: header and bar, why it is queued, stages, artifacts, attributes."""
    estimate = job.estimate if job.HasField("estimate") else None
    visible = stage_rows.VisibleStages(list(stage_rows.tree_rows(Fold(job))), "")
    attributes = Table.grid(padding=(0, 2))
    attributes.add_column(style="dim", no_wrap=True)
    attributes.add_column(overflow="fold")
    above = list(header(job, canvas, estimate, waiting))
    title = text.title(job)
    if title not in above[0].plain:  # shortened there
        attributes.add_row("  title", Text(title))
    for name, value in _attributes(job, canvas.zone):
        attributes.add_row(f"  {name}", Text(value))
    blocks: list[RenderableType] = [*above, *notices(job, canvas, waiting)]
    for block in (
        list(stage_rows.stage_lines(visible, canvas)),
        list(artifacts(job, replace(canvas, final=True))),
        [attributes],
    ):
        if block:
            blocks += [Text(""), *block]
    return Group(*blocks)


def job_lines(
    job: Job, now: datetime, zone: tzinfo | None = None, *, waiting: Waiting | None = None
) -> Iterator[str]:
    """Describe a job as plain text: a name and a value on each line."""
    fold = Fold(job)
    lines = [
        ("job", text.one_line(job.job_id)),
        ("kind", text.one_line(job.kind)),
    ]
    if title := text.title(job):
        lines.append(("title", title))
    lines.append(("state", text.job_state(job.state)))
    if done := text.progress(job):
        lines.append(("done", done.removesuffix(" done")))
    if job.HasField("start_time"):
        lines.append(("took", text.duration(job, now)))
    if job.HasField("estimate") and not has_ended(job):
        lines.append(("left", ", ".join(remaining_parts(job.estimate, now)).replace(" left", "", 1)))
    if waiting is not None:
        lines.append(("waiting", waiting_text(waiting, job, now)))
        if waiting.HasField("run"):
            lines.append(("takes", ", ".join(run_parts(waiting.run))))
    if job.HasField("failure"):
        lines.append(("failure", text.failure_text(job.failure)))
    if job.HasField("cancellation"):
        lines.append(("cancel", text.cancellation(job)))
    lines += [
        ("stage", f"{'  ' * row.depth}{stage_rows.stage_text(row.stage, now)}")
        for row in stage_rows.tree_rows(fold)
    ]
    lines += [("artifact", text.artifact(artifact)) for artifact in job.artifacts]
    for name, value in [*lines, *_attributes(job, zone)]:
        first, *more = value.split("\n")
        yield f"{name:<9}  {first}".rstrip()
        for rest in more:
            yield f"{'':<9}  {rest}".rstrip()


def _attributes(job: Job, zone: tzinfo | None) -> Iterator[tuple[str, str]]:
    """Attributes beyond the job's progress; a failure's detail last, since it may be long."""
    if job.owner:
        yield "owner", text.escaped(job.owner)
    labels = sorted((key, value) for key, value in job.labels.items() if key != text.TITLE_LABEL)
    if labels:
        yield "labels", ", ".join(f"{text.one_line(key)}={text.one_line(value)}" for key, value in labels)
    if job.parent_job_id:
        yield "part of", text.one_line(job.parent_job_id)
    if job.attempt:
        # Where another engine decides about retries, its jobs have the maximum, which says nothing.
        attempts = max(job.retry_policy.max_attempts, 1)
        allowed = f", {attempts} allowed" if attempts < limits.ATTEMPTS else ""
        yield "attempt", f"{job.attempt} by worker {text.escaped(job.worker_id)}{allowed}"
    for name, time in (("submitted", job.submit_time), ("started", job.start_time), ("ended", job.end_time)):
        if time.seconds:
            yield name, text.date(time, zone)
    yield "events", f"{job.last_sequence:,}"
    if job.message:
        yield "message", text.escaped(job.message)
    if job.HasField("input"):
        yield "input", text.escaped(json_line.dump_json(to_json(job.input)))
    if job.HasField("result"):
        yield "result", text.escaped(json_line.dump_json(to_json(job.result)))
    if job.failure.detail:
        yield "detail", text.escaped(job.failure.detail)
