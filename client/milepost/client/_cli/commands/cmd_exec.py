"""`milepost exec`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.job_input import read_input
from milepost.client._cli.commands.options import LOG_LEVELS, Server, option, server_options
from milepost.client._cli.commands.parameter_types import pair, progress_reader, seconds, stage_id
from milepost.contract.limits import GRACE_PERIOD

if TYPE_CHECKING:
    from milepost.client._cli.exec.progress_patterns import Reader

__all__ = ["execute"]

_EXAMPLES: Final = (
    "milepost exec --kind backup -- rsync -a /srv/photos /mnt/backup",
    "milepost exec --kind encode --progress-from auto -- ffmpeg -i film.mkv film.mp4",
)


@command("exec", examples=_EXAMPLES, context_settings={"allow_interspersed_args": False})
@click.argument("words", metavar="[--] COMMAND ...", nargs=-1, required=True, type=click.UNPROCESSED)
@option(
    "--kind",
    "-k",
    default="",
    metavar="KIND",
    shell_complete=completion.kinds,
    help="The kind of the job, which is made for the command.",
)
@option(
    "--job-id",
    default="",
    metavar="ID",
    shell_complete=completion.unfinished_job_ids,
    help="A job that was submitted with --external; it is claimed, and none is made.",
)
@option(
    "--progress-from",
    "reader",
    type=progress_reader,
    metavar="FORM",
    envvar="MILEPOST_EXEC_PROGRESS_FROM",
    help="Form of the progress in its output: auto, as most programs print it; percent, as in 42%; regex, as in 3/10; "
    "regex:PATTERN with the groups (?P<current>), (?P<total>) or (?P<percent>); json, as in "
    '{"current": 3, "total": 10}.',
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
@option(
    "--parent",
    default="",
    metavar="JOB_ID",
    shell_complete=completion.job_ids,
    help="The job that it is a part of, and is cancelled with.",
)
@option("--timeout", type=seconds, metavar="TIME", help="The longest that it may take.")
@option(
    "--grace",
    type=seconds,
    default=f"{GRACE_PERIOD:g}s",
    metavar="TIME",
    help="Time between SIGTERM and SIGKILL when the job is cancelled, has timed out or went to another attempt; of a "
    "cancellation within its own grace period.",
)
@option(
    "--pty",
    is_flag=True,
    envvar="MILEPOST_EXEC_PTY",
    help="Give the command a terminal to write to, for programs that otherwise show no progress, or print in blocks. "
    "It has one stream: all lines are logged as info.",
)
@option(
    "--best-effort",
    is_flag=True,
    envvar="MILEPOST_EXEC_BEST_EFFORT",
    help="Run the command without a job where the server cannot be reached.",
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
    type=click.Choice(LOG_LEVELS),
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
    pty: bool,
    best_effort: bool,
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
    from milepost.client._cli.commands import log_setup
    from milepost.client._cli.commands.exec_runner import execute_command

    log_setup.configure(log_level)
    raise Exit(
        execute_command(
            server,
            words,
            kind=kind,
            job_id=job_id,
            reader=reader,
            stage=stage,
            content=lambda: read_input(given, settings),
            owner=owner,
            labels=dict(labels),
            parent=parent,
            timeout=timeout,
            grace=grace,
            pty=pty,
            best_effort=best_effort,
            spool=spool,
        )
    )
