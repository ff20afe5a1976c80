"""Follow many jobs in one view, for `milepost watch` with several ids or a filter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

from milepost.client import Client
from milepost.client._cli.commands.async_runner import run
from milepost.client._cli.commands.exit_status import ExitStatus
from milepost.client._cli.commands.options import ServerOptions
from milepost.client._cli.commands.outcome import TimedOut, of_job
from milepost.client._cli.commands.printing import NO_JOBS
from milepost.client._cli.rendering.jobs_view import Jobs, JobsView, JsonJobsView, LiveJobsView, PlainJobsView
from milepost.client._cli.rendering.terminal import EscapingConsole, can_draw
from milepost.client._cli.standard_streams import write_stderr, write_stdout
from milepost.client._watch.jobs_cursor import Gap, Item
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Deleted, Event, Job

__all__ = ["watch_many"]

_ESTIMATES_INTERVAL: Final = 5.0
"""Seconds between two statuses with new estimates for a live table, which counts them down in between."""


def watch_many(
    server: ServerOptions,
    job_ids: Sequence[str],
    *,
    kinds: Sequence[str],
    owner: str,
    labels: Mapping[str, str],
    to_the_end: bool,
    status_interval: float | None,
    timeout: float | None,
    output: str,
) -> ExitStatus:
    """Show jobs until all of ``job_ids`` have ended; without ids, until interrupted.

    Returns:
        The status of the first of ``job_ids`` that did not succeed, or SUCCEEDED.

    Raises:
        JobNotFound: One of ``job_ids`` does not exist.
        TimedOut: Not all have ended within ``timeout`` seconds.
    """
    jobs: Jobs = {}
    outcomes = _Outcomes(job_ids)

    async def follow(client: Client, view: JobsView) -> None:
        interval = status_interval
        if interval is None and to_the_end and isinstance(view, LiveJobsView):
            interval = _ESTIMATES_INTERVAL
        async with client.watch_jobs(
            job_ids=job_ids,
            kinds=kinds,
            owner=owner,
            labels=labels,
            snapshot=True,
            on_gap="snapshot",
            follow=to_the_end,
            status_interval=interval,
            on_state=view.connection_changed,
        ) as watch:
            if isinstance(view, LiveJobsView):
                view.estimate_of = watch.estimate_of
            async for item in watch:
                _apply(item, jobs)
                view.item(item, jobs)
                if outcomes.note(item, jobs) and to_the_end:
                    return

    async def main() -> None:
        async with server.client() as client, AsyncExitStack() as stack:
            for job_id in job_ids:
                # Fail now if the job does not exist.
                await client.get(job_id)
            if not job_ids:
                # Or if there is no server: a watch waits longer for its first connection than a command should.
                await anext(client.list(page_size=1), None)
            view = _view_for(output)
            if isinstance(view, LiveJobsView):
                await stack.enter_async_context(view)
            try:
                async with asyncio.timeout(timeout):
                    await follow(client, view)
            except TimeoutError:
                raise TimedOut(f"Not all jobs have ended within {timeout:g} s; they continue.") from None
            if not jobs and isinstance(view, PlainJobsView):
                write_stderr(NO_JOBS)

    run(main())
    return outcomes.status


class _Outcomes:
    """How each of the jobs ended."""

    def __init__(self, job_ids: Sequence[str]) -> None:
        self._job_ids = job_ids
        self._unfinished = set(job_ids)
        self._statuses: dict[str, ExitStatus] = {}

    @property
    def status(self) -> ExitStatus:
        """That of the first job that did not succeed, or SUCCEEDED."""
        ended = (self._statuses.get(job_id, ExitStatus.SUCCEEDED) for job_id in self._job_ids)
        return next((status for status in ended if status != ExitStatus.SUCCEEDED), ExitStatus.SUCCEEDED)

    def note(self, item: Item, jobs: Jobs) -> bool:
        """Note the end of a job by an item, which ``jobs`` include; return whether it is the last end."""
        if isinstance(item, Gap) or item.job_id not in self._unfinished:
            return False
        if isinstance(item, Deleted):
            self._statuses[item.job_id] = ExitStatus.NOT_FOUND
        elif item.job_id in jobs and has_ended(jobs[item.job_id].job):
            self._statuses[item.job_id] = of_job(jobs[item.job_id].job)
        else:
            return False
        self._unfinished.discard(item.job_id)
        return not self._unfinished


def _view_for(output: str) -> JobsView:
    if output == "json":
        return JsonJobsView(write_stdout, write_stderr)
    console = EscapingConsole(stderr=True)
    return LiveJobsView(console) if output == "auto" and can_draw(console) else PlainJobsView(write_stderr)


def _apply(item: Item, jobs: Jobs) -> None:
    """Apply an item of the watch to ``jobs``."""
    match item:
        case Job():
            jobs[item.job_id] = Fold(item)
        case Event() if item.HasField("job_submitted"):
            jobs[item.job_id] = Fold()
            jobs[item.job_id].apply(item)
        case Event() if item.job_id in jobs:
            jobs[item.job_id].apply(item)
        case Deleted():
            jobs.pop(item.job_id, None)
        case Gap():
            jobs.clear()
