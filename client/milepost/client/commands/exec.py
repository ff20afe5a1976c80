"""`milepost exec`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path

import click
from click.exceptions import Exit

from milepost.client import Cancelled, Client, JobFailure
from milepost.client.attaching import Attached
from milepost.client.commands import logs
from milepost.client.commands.command import command
from milepost.client.commands.errors import explain
from milepost.client.commands.input import read_input
from milepost.client.commands.options import Server, option, server_options
from milepost.client.commands.parameters import pair, progress_reader, seconds, stage_id
from milepost.client.commands.running import run
from milepost.client.commands.status import Status
from milepost.client.errors import MilepostError
from milepost.client.execution.progress import Reader
from milepost.client.execution.running import Execution
from milepost.client.execution.telling import Telling
from milepost.client.outcome import has_ended
from milepost.client.worker.grace import grace_of
from milepost.contract.limits import GRACE_PERIOD
from milepost.v1 import JobState

__all__ = ["execute"]

# Seconds between two looks at how long the command has to stop, which may have become less.
_LOOK = 0.5
# Of the time that it has: the rest is for ending it, before it is taken for one that cannot be ended.
_SHARE = 0.9


@command("exec", context_settings={"allow_interspersed_args": False})
@click.argument("words", metavar="[--] COMMAND ...", nargs=-1, required=True, type=click.UNPROCESSED)
@option(
    "--kind", "-k", default="", metavar="KIND", help="The kind of the job, which is made for the command."
)
@option(
    "--job-id",
    default="",
    metavar="ID",
    help="A job that was submitted with --external; it is claimed, and none is made.",
)
@option(
    "--progress-from",
    "reader",
    type=progress_reader,
    metavar="FORM",
    envvar="MILEPOST_EXEC_PROGRESS_FROM",
    help="How its output says how far it is: percent, as in 42%; regex, as in 3/10; regex:PATTERN with the groups "
    '(?P<current>), (?P<total>) or (?P<percent>); json, as in {"current": 3, "total": 10}.',
    show_default="not read",
)
@option(
    "--stage",
    "stage",
    default="",
    type=stage_id,
    envvar="MILEPOST_EXEC_STAGE",
    metavar="ID",
    help="The stage that the command is, and whose progress is read.",
)
@option(
    "--input",
    "-i",
    "given",
    envvar="MILEPOST_EXEC_INPUT",
    metavar="JSON|@FILE|-",
    help="The job's input, a JSON object; - reads stdin.",
)
@option(
    "--set",
    "-s",
    "settings",
    envvar="MILEPOST_EXEC_SET",
    type=pair,
    metavar="KEY=VALUE",
    multiple=True,
    help="Set one value of the input: JSON if it can be read as such, else text. Dots in the key go deeper.",
)
@option("--owner", default="", metavar="NAME", help="Whose job it is.")
@option(
    "--label",
    "-l",
    "labels",
    envvar="MILEPOST_EXEC_LABEL",
    type=pair,
    metavar="KEY=VALUE",
    multiple=True,
    help="A mark to list by.",
)
@option("--parent", default="", metavar="JOB_ID", help="The job that it is a part of, and is cancelled with.")
@option("--timeout", type=seconds, metavar="TIME", help="The longest that it may take.")
@option(
    "--grace",
    type=seconds,
    default=f"{GRACE_PERIOD:g}s",
    metavar="TIME",
    help="How long the command may take to stop after SIGTERM, within the grace period of the cancellation.",
)
@option(
    "--spool",
    envvar="MILEPOST_SPOOL",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to keep what the server did not take at the end, for the next one that has it.",
)
@option(
    "--log-level",
    envvar="MILEPOST_LOG_LEVEL",
    type=click.Choice(logs.LEVELS),
    default="warning",
    help="What is said of the connection, on stderr.",
)
@server_options
def execute(
    server: Server,
    words: tuple[str, ...],
    kind: str,
    job_id: str,
    reader: Reader | None,
    stage: str,
    given: str | None,
    settings: tuple[tuple[str, str], ...],
    owner: str,
    labels: tuple[tuple[str, str], ...],
    parent: str,
    timeout: float | None,
    grace: float,
    spool: Path | None,
    log_level: str,
) -> None:
    """Run COMMAND as a job, and exit with its exit status.

    What it writes is passed through, and its lines become those of the job's log: stdout as info, stderr as warnings.
    Cancelling the job stops it, and all of its process group; Ctrl-C and SIGTERM are passed on to it. It finds the
    job's id in MILEPOST_JOB_ID. Once it runs, it runs on even where the server is gone.
    """
    if bool(kind) == bool(job_id):
        raise click.UsageError("Give either --kind, for a new job, or --job-id, for one that there is.")
    if job_id and (given is not None or settings or owner or labels or parent or timeout is not None):
        raise click.UsageError("--input, --set, --owner, --label, --parent and --timeout are for a new job.")
    logs.configure(log_level)
    execution = Execution(words)

    async def claim(client: Client) -> Attached:
        if job_id:
            await client.get(
                job_id
            )  # so that one that is not there, or a server that is not, is known at once
            return client.attach(job_id, spool=spool)
        content = read_input(given, settings)
        return client.start(
            kind,
            content,
            spool=spool,
            owner=owner,
            labels=dict(labels),
            parent_job_id=parent,
            timeout=timeout,
        )

    async def work() -> None:
        async with server.client() as client, await claim(client) as job:
            execution.environment["MILEPOST_JOB_ID"] = job.id
            job.raise_if_cancelled()
            with Telling(job, reader, stage) as telling:
                await execution.run(telling, lambda: _patience(client, job.id, grace))
            job.result = {"exit_status": execution.status}

    raise Exit(run(_status(work(), execution)))


async def _status(work: Coroutine[None, None, None], execution: Execution) -> int:
    """The status to exit with: the command's, once it has one."""
    try:
        await work
    except Cancelled:
        return Status.CANCELLED if execution.status is None else execution.status
    except JobFailure as failure:
        if execution.status is None:
            raise
        if not execution.started:
            click.echo(f"Error: {failure}", err=True)
    except MilepostError as error:
        if execution.status is None:
            raise
        click.echo(f"Error: {explain(error)}", err=True)
    except OSError as error:
        if execution.status is not None:
            raise
        raise click.BadParameter(f"It cannot be used: {error}.", param_hint="'--spool'") from error
    return execution.status or Status.SUCCEEDED


async def _patience(client: Client, job_id: str, most: float) -> None:
    """Returns once a command that is to stop has had time enough: `most` seconds, or what its job leaves it."""
    loop = asyncio.get_running_loop()
    until = loop.time() + most
    while (left := until - loop.time()) > 0:
        try:
            async with asyncio.timeout(left):
                job = await client.get(job_id)
        except (
            MilepostError,
            TimeoutError,
        ):  # the server is gone, but the command may take its time all the same
            pass
        else:
            if has_ended(job):
                return
            if job.state == JobState.JOB_STATE_CANCELLING:
                until = min(until, loop.time() + _SHARE * grace_of(job.cancellation))
        await asyncio.sleep(max(min(until - loop.time(), _LOOK), 0.0))
