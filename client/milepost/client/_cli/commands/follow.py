"""Follow one job in a view, for `watch`, `submit --watch`, `cancel --wait` and `demo`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from milepost.client import Client, Connection
from milepost.client._cli.commands.outcome import TimedOut, explain
from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.job_view import JobView, JsonView, LiveView, PlainView, WarningView
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._cli.rendering.terminal import EscapingConsole, can_draw
from milepost.client._cli.rendering.watched_job import WatchedJob
from milepost.client._cli.standard_streams import write_stderr, write_stdout
from milepost.client._message_json import to_json
from milepost.client._results import result_of
from milepost.client.errors import JobError
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Job, JobState, Waiting

__all__ = ["follow", "print_failure", "print_result", "view_for", "waiting_view_for"]


def view_for(output: str) -> JobView:
    """The view for an output format. Views for people write to stderr, so that stdout has only the result."""
    if output == "json":
        return JsonView(write_stdout, write_stderr)
    console = EscapingConsole(stderr=True)
    if output == "auto" and can_draw(console):
        return LiveView(console)
    return PlainView(write_stderr)


def waiting_view_for(output: str) -> JobView:
    """The view for a command that only waits: it warns if no worker takes the job, or the connection is lost."""
    return JsonView(lambda line: None, write_stderr) if output == "json" else WarningView(write_stderr)


async def follow(
    client: Client,
    job: Job,
    view: JobView,
    *,
    after: int = 0,
    epoch: str = "",
    to_the_end: bool = True,
    status_interval: float | None = None,
    timeout: float | None = None,
    hint: bool = True,
    waiting: Waiting | None = None,
) -> Job:
    """Show the events of ``job`` after sequence ``after`` until it ends. Return the job as of then.

    ``waiting`` says why it is queued now, if it is.

    On interruption, print how to resume, unless ``hint`` is false or the view is for programs.

    Raises:
        TimedOut: The job has not ended within ``timeout`` seconds.
        MilepostError: The job cannot be watched.
    """
    watched: WatchedJob

    def connection_changed(connection: Connection) -> None:
        watched.connection_changed(datetime.now(UTC))
        view.connection_changed(watched)

    watch = client.watch(
        job.job_id,
        after=after,
        epoch=epoch,
        follow=to_the_end,
        status_interval=status_interval,
        on_state=connection_changed,
        on_waiting=lambda waiting: view.waiting_changed(watched),
    )
    # A server refuses a sequence beyond the newest, and no view may claim that there are so many events.
    cursor = min(after, job.last_sequence)
    watched = WatchedJob(_start(job, after), watch, datetime.now(UTC), waiting, cursor=cursor)

    try:
        async with asyncio.timeout(timeout), watch, view:
            async for events in watch.batches():
                for event in events:
                    watched.apply(event)
                    view.event(event, watched)
    except TimeoutError:
        known = watched.job if watched.cursor else job
        status = ", ".join(filter(None, (text.job_state(known.state), text.progress(known))))
        raise TimedOut(f"The job has not ended within {timeout:g} s ({status}); it continues.") from None
    except asyncio.CancelledError:
        if hint and not isinstance(view, JsonView):
            write_stderr(_resume_hint(watched, watch.epoch))
        raise
    return watched.job


def print_result(job: Job) -> None:
    """Write the result of a job to stdout as JSON, if it has one."""
    if job.state == JobState.JOB_STATE_SUCCEEDED and job.HasField("result"):
        write_stdout(dump_json(to_json(job.result), indent=2 if sys.stdout.isatty() else None))


def print_failure(job: Job) -> None:
    """Write to stderr why a job did not succeed; nothing if it did or has not ended."""
    if has_ended(job):
        try:
            result_of(job)
        except JobError as error:
            write_stderr(f"Error: {explain(error)}")


def _start(job: Job, after: int) -> Fold:
    """The state to apply events to: a replay from the first event needs only the job's id and kind."""
    if after > 0 or job.first_sequence > 1:
        return Fold(job)
    return Fold(Job(job_id=job.job_id, kind=job.kind))


def _resume_hint(watched: WatchedJob, epoch: str) -> str:
    if has_ended(watched.job):
        return "Stopped watching."
    options = f" --after {watched.cursor} --epoch {epoch}" if watched.cursor and epoch else ""
    return (
        f"Stopped watching after event {watched.cursor}; the job continues. To resume: "
        f"milepost watch {watched.job.job_id}{options}"
    )
