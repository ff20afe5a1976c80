"""`milepost watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.options import ServerOptions, option, output_option, server_options
from milepost.client._cli.commands.parameter_types import pair, seconds, unique_keys

if TYPE_CHECKING:
    from milepost.v1 import Job

__all__ = ["watch"]


_EXAMPLES: Final = (
    "milepost watch J",
    "milepost watch J --after 41 --output json",
    "milepost watch J1 J2 J3",
    "milepost watch --kind archive --label team=photos",
)


@command(examples=_EXAMPLES)
@click.argument("job_ids", metavar="[JOB_ID ...]", nargs=-1, shell_complete=completion.job_ids)
@option(
    "--kind",
    "-k",
    "kinds",
    envvar="MILEPOST_WATCH_KIND",
    multiple=True,
    metavar="KIND",
    shell_complete=completion.kinds,
    help="All jobs of this kind; repeat for several.",
)
@option("--owner", default="", metavar="NAME", help="All jobs of this owner.")
@option(
    "--label",
    "-l",
    "labels",
    envvar="MILEPOST_WATCH_LABEL",
    type=pair,
    callback=unique_keys,
    metavar="KEY=VALUE",
    multiple=True,
    help="All jobs with this label; repeat to require several.",
)
@option("--after", type=click.IntRange(min=0), default=0, metavar="N", help="Resume after event N.")
@option(
    "--epoch",
    default="",
    metavar="EPOCH",
    help="Epoch that --after refers to, as the hint of an interrupted watch says.",
)
@option("--no-follow", is_flag=True, help="Exit after the events so far instead of waiting for more.")
@option(
    "--status-interval",
    type=seconds,
    metavar="TIME",
    help="Interval between status messages of the server while there are no events.",
    show_default="10s",
)
@option("--timeout", type=seconds, metavar="TIME", help="Stop watching after this time with status 124.")
@output_option
@server_options
def watch(
    server: ServerOptions,
    job_ids: tuple[str, ...],
    kinds: tuple[str, ...],
    owner: str,
    labels: dict[str, str],
    after: int,
    epoch: str,
    no_follow: bool,
    status_interval: float | None,
    timeout: float | None,
    output: str,
) -> None:
    """Follow jobs until they end and exit with their status.

    Replays the events so far, then follows live. After a lost connection it reconnects and resumes where it was. Ctrl-C
    stops watching and never cancels the job.

    Progress goes to stderr, the job's result to stdout as JSON. With --output json each event goes to stdout as one
    JSON object per line.

    Several jobs are shown together, on a terminal as a table, starting from their current state. The exit status is
    that of the first job that did not succeed. With --kind, --owner or --label instead of ids, all matching jobs are
    followed, including later ones, until Ctrl-C.
    """
    if not job_ids and not (kinds or owner or labels):
        raise click.UsageError("Give job ids, or --kind, --owner or --label.")
    if job_ids and (kinds or owner or labels):
        raise click.UsageError("Give either job ids, or --kind, --owner and --label.")
    if len(job_ids) != 1:
        if after or epoch:
            raise click.UsageError("--after and --epoch require exactly one job.")
        from milepost.client._cli.commands.follow_many import watch_many

        raise Exit(
            watch_many(
                server,
                job_ids,
                kinds=kinds,
                owner=owner,
                labels=labels,
                to_the_end=not no_follow,
                status_interval=status_interval,
                timeout=timeout,
                output=output,
            )
        )
    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.follow import print_result
    from milepost.client._cli.commands.outcome import of_job

    job = run(_watch(server, job_ids[0], after, epoch, not no_follow, status_interval, timeout, output))
    if output != "json":
        print_result(job)
    raise Exit(of_job(job))


async def _watch(
    server: ServerOptions,
    job_id: str,
    after: int,
    epoch: str,
    to_the_end: bool,
    status_interval: float | None,
    timeout: float | None,
    output: str,
) -> Job:
    from milepost.client._cli.commands.follow import follow, view_for
    from milepost.v1 import JobState

    async with server.client() as client:
        job = (await client.get(job_id)).proto
        return await follow(
            client,
            job,
            view_for(output),
            waiting=await client.waiting(job_id) if job.state == JobState.JOB_STATE_QUEUED else None,
            after=after,
            epoch=epoch,
            to_the_end=to_the_end,
            status_interval=status_interval,
            timeout=timeout,
        )
