"""`milepost watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from milepost.client.commands import complete
from milepost.client.commands.command import command
from milepost.client.commands.options import Server, option, output_option, server_options
from milepost.client.commands.parameters import seconds

if TYPE_CHECKING:
    from milepost.v1 import Job

__all__ = ["watch"]


@command(examples=("milepost watch J", "milepost watch J --after 41 --output json"))
@click.argument("job_id", shell_complete=complete.job_ids)
@option("--after", type=click.IntRange(min=0), default=0, metavar="N", help="Go on after event N.")
@option("--epoch", default="", metavar="EPOCH", help="The epoch of the store that N is of.")
@option("--no-follow", is_flag=True, help="Stop at what there is now.")
@option(
    "--status-interval",
    type=seconds,
    metavar="TIME",
    help="How often the server is to be heard where nothing happens.",
    show_default="10s",
)
@option("--timeout", type=seconds, metavar="TIME", help="Stop watching after this time, with the status 124.")
@output_option
@server_options
def watch(
    server: Server,
    job_id: str,
    after: int,
    epoch: str,
    no_follow: bool,
    status_interval: float | None,
    timeout: float | None,
    output: str,
) -> None:
    """Follow a job until it has ended, and exit with its status.

    The events so far come first, then what happens next. Whatever happens to the connection, it goes on where it
    was. Ctrl-C stops watching; it never cancels the job.

    What happens is shown on stderr, and the job's result goes to stdout, as JSON. With --output json, each event
    goes to stdout as one JSON object a line.
    """
    from milepost.client.commands.ending import of_job
    from milepost.client.commands.following import print_result
    from milepost.client.commands.running import run

    job = run(_watch(server, job_id, after, epoch, not no_follow, status_interval, timeout, output))
    if output != "json":
        print_result(job)
    raise Exit(of_job(job))


async def _watch(
    server: Server,
    job_id: str,
    after: int,
    epoch: str,
    to_the_end: bool,
    status_interval: float | None,
    timeout: float | None,
    output: str,
) -> Job:
    from milepost.client.commands.following import follow, view_for

    async with server.client() as client:
        return await follow(
            client,
            await client.get(job_id),
            view_for(output),
            after=after,
            epoch=epoch,
            to_the_end=to_the_end,
            status_interval=status_interval,
            timeout=timeout,
        )
