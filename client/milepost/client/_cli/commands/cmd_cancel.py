"""`milepost cancel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, option, output_option, server_options
from milepost.client._cli.commands.parameter_types import seconds
from milepost.client._cli.standard_streams import write_stdout

if TYPE_CHECKING:
    from milepost.v1 import Job

__all__ = ["cancel"]


@command(examples=("milepost cancel J --reason 'wrong input' --grace-period 5m", "milepost cancel J --wait"))
@click.argument("job_id", shell_complete=completion.unfinished_job_ids)
@option("--reason", default="", metavar="TEXT", help="Reason, shown with the job.")
@option(
    "--grace-period",
    type=seconds,
    metavar="TIME",
    help="Time for the worker to stop; after it the server ends the job without the worker. 0: at once.",
    show_default="30s",
)
@option(
    "--wait", is_flag=True, help="Wait until the job ends and exit with its status: 3 if it was cancelled."
)
@option("--timeout", type=seconds, metavar="TIME", help="Stop waiting after this time with status 124.")
@output_option
@server_options
def cancel(
    server: ServerOptions,
    job_id: str,
    reason: str,
    grace_period: float | None,
    wait: bool,
    timeout: float | None,
    output: str,
) -> None:
    """Request cancellation of a job and its children.

    A job that has already ended does not change. Prints the job's state, or with --output json the job.
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout requires --wait.")
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.outcome import of_job
    from milepost.client._cli.rendering.message_json import message_line

    job = run(_cancel(server, job_id, reason, grace_period, wait, timeout, output))
    write_stdout(message_line(job) if output == "json" else _sentence(job))
    if wait:
        raise Exit(of_job(job))


async def _cancel(
    server: ServerOptions,
    job_id: str,
    reason: str,
    grace_period: float | None,
    wait: bool,
    timeout: float | None,
    output: str,
) -> Job:
    from milepost.client._cli.commands.follow import follow, waiting_view_for
    from milepost.contract.job_states import has_ended

    async with server.client() as client:
        job = (await client.cancel(job_id, reason=reason, grace_period=grace_period)).proto
        if wait and not has_ended(job):
            view = waiting_view_for(output)
            job = await follow(client, job, view, after=job.last_sequence, timeout=timeout)
        return job


def _sentence(job: Job) -> str:
    from milepost.client._cli.rendering import text
    from milepost.v1 import JobState

    if job.state == JobState.JOB_STATE_CANCELLED and job.cancellation.forced:
        return f"{text.one_line(job.job_id)} cancelled, without its worker"
    return f"{text.one_line(job.job_id)} {text.job_state(job.state)}"
