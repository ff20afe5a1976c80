"""`milepost get`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, output_option, server_options

if TYPE_CHECKING:
    from milepost.v1 import Job, Waiting

__all__ = ["get"]


@command(examples=("milepost get J", "milepost get J --output json | jq .state"))
@click.argument("job_id", shell_complete=completion.job_ids)
@output_option
@server_options
def get(server: ServerOptions, job_id: str, output: str) -> None:
    """Show the current state of a job."""
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.printing import print_job

    job, waiting = run(_get(server, job_id))
    print_job(job, output, waiting)


async def _get(server: ServerOptions, job_id: str) -> tuple[Job, Waiting | None]:
    from milepost.v1 import JobState

    async with server.client() as client:
        job = (await client.get(job_id)).proto
        is_queued = job.state == JobState.JOB_STATE_QUEUED
        return job, await client.waiting(job_id) if is_queued else None
