"""Print jobs and workers to stdout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Group
from rich.text import Text

from milepost.client._cli.rendering.canvas import Canvas, marks_for, wrapped
from milepost.client._cli.rendering.diff_report import Block, report_lines, report_picture
from milepost.client._cli.rendering.job_details import job_lines, job_picture
from milepost.client._cli.rendering.message_json import message_line, waiting_line
from milepost.client._cli.rendering.tables import jobs_lines, jobs_table, workers_lines, workers_table
from milepost.client._cli.rendering.terminal import EscapingConsole, can_draw
from milepost.client._cli.standard_streams import write_stderr, write_stdout
from milepost.v1 import ConnectedWorker, Job, Waiting

__all__ = ["NO_JOBS", "print_job", "print_jobs", "print_lines", "print_report", "print_workers"]

NO_JOBS: Final = "No jobs found."
"""What stderr says where there is no job to show."""

_ROWS_OF_A_LINE: Final = 50


def print_job(job: Job, output: str, waiting: Waiting | None = None) -> None:
    """Print all that is known of a job. With JSON, why it is queued goes to stderr: it is not part of the job."""
    now = datetime.now(UTC)
    console = EscapingConsole()
    if output == "json":
        write_stdout(message_line(job))
        if waiting is not None:
            write_stderr(waiting_line(waiting))
    elif output == "auto" and can_draw(console):
        canvas = Canvas(console.width, console.height, now, marks=marks_for(console.encoding))
        console.print(job_picture(job, canvas, waiting))
    else:
        for line in job_lines(job, now, waiting=waiting):
            write_stdout(line)


def print_workers(workers: Sequence[ConnectedWorker], output: str) -> None:
    """Print a table of connected workers."""
    now = datetime.now(UTC)
    console = EscapingConsole()
    if output == "auto" and can_draw(console):
        console.print(Group(*workers_table(workers, now, console.width)))
    else:
        for line in workers_lines(workers, now):
            write_stdout(line)


def print_jobs(jobs: Sequence[Job], output: str) -> None:
    """Print a table of jobs; without any, say so on stderr."""
    if not jobs:
        write_stderr(NO_JOBS)
        return
    now = datetime.now(UTC)
    console = EscapingConsole()
    if output == "auto" and can_draw(console):
        console.print(Group(*jobs_table(jobs, now, console.width, whole_ids=True)))
    else:
        for line in jobs_lines(jobs, now):
            write_stdout(line)


def print_lines(lines: Iterable[str], *, indent: int) -> None:
    """Print lines of text; on a terminal they are wrapped between words, all but the first row indented."""
    console = EscapingConsole()
    canvas = Canvas(console.width, console.height, datetime.now(UTC), marks=marks_for(console.encoding))
    for line in lines:
        if can_draw(console):
            console.print(Group(*wrapped(Text(line), indent, _ROWS_OF_A_LINE, canvas)))
        else:
            write_stdout(line)


def print_report(blocks: Sequence[Block], output: str) -> None:
    """Print a report on what a comparison of runs found."""
    console = EscapingConsole()
    if output == "auto" and can_draw(console):
        canvas = Canvas(console.width, console.height, datetime.now(UTC), marks=marks_for(console.encoding))
        console.print(Group(*report_picture(blocks, canvas)))
    else:
        for line in report_lines(blocks):
            write_stdout(line)
