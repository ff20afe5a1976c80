"""`milepost exec`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.job_input import read_input
from milepost.client._cli.commands.options import (
    ServerOptions,
    input_options,
    job_options,
    log_level_option,
    option,
    server_options,
    spool_option,
)
from milepost.client._cli.commands.parameter_types import progress_parser, seconds, stage_id
from milepost.contract.limits import GRACE_PERIOD, KIND

if TYPE_CHECKING:
    from milepost.client._cli.exec.progress_patterns import ProgressParser

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
    help="Kind of the job to create for the command.",
)
@option(
    "--job-id",
    default="",
    metavar="ID",
    shell_complete=completion.unfinished_job_ids,
    help="Claim this job, which was submitted with --external, instead of creating one.",
)
@option(
    "--progress-from",
    "parser",
    type=progress_parser,
    metavar="FORM",
    envvar="MILEPOST_EXEC_PROGRESS_FROM",
    help="Parse progress from the output. auto: as most programs print it; percent: 42%; regex: 3/10; regex:PATTERN: "
    "with the groups (?P<current>), (?P<total>) or (?P<percent>); json: "
    '{"current": 3, "total": 10}.',
    show_default="no progress",
)
@option(
    "--stage",
    "stage",
    default="",
    type=stage_id,
    envvar="MILEPOST_EXEC_STAGE",
    metavar="ID",
    help="Id of the stage that the command runs as.",
)
@input_options("MILEPOST_EXEC")
@job_options("MILEPOST_EXEC")
@option("--timeout", type=seconds, metavar="TIME", help="Maximum duration of the job.")
@option(
    "--grace",
    type=seconds,
    default=f"{GRACE_PERIOD:g}s",
    metavar="TIME",
    help="Time between SIGTERM and SIGKILL when the job is cancelled, times out or moves to another attempt; at most "
    "the grace period of the cancellation.",
)
@option(
    "--pty",
    is_flag=True,
    envvar="MILEPOST_EXEC_PTY",
    help="Run the command on a pseudo-terminal, for programs that otherwise show no progress or buffer their output. "
    "It has one stream: all lines are logged as info.",
)
@option(
    "--best-effort",
    is_flag=True,
    envvar="MILEPOST_EXEC_BEST_EFFORT",
    help="If the server is unavailable or takes no further job, run the command without a job.",
)
@spool_option(
    "Directory for reports that could not be delivered at the end; the next process with this spool sends them."
)
@log_level_option("warning")
@server_options
def execute(
    server: ServerOptions,
    words: tuple[str, ...],
    kind: str,
    job_id: str,
    parser: ProgressParser | None,
    stage: str,
    given: str | None,
    settings: tuple[tuple[str, str], ...],
    owner: str,
    labels: dict[str, str],
    parent: str,
    timeout: float | None,
    grace: float,
    pty: bool,
    best_effort: bool,
    spool: Path | None,
    log_level: str,
) -> None:
    """Run COMMAND as a job and exit with its exit status.

    Its output is passed through, and each line is added to the job's log: stdout as info, stderr as warnings.
    Cancelling the job stops the command's process group; Ctrl-C and SIGTERM are forwarded to it. MILEPOST_JOB_ID in its
    environment is the job's id. Once started, the command keeps running even if the server becomes unavailable.
    """
    if bool(kind) == bool(job_id):
        raise click.UsageError(
            f"Give either --kind, for a new job, or --job-id, for an existing one.{_hint(words)}"
        )
    if job_id and (given is not None or settings or owner or labels or parent or timeout is not None):
        raise click.UsageError("--input, --set, --owner, --label, --parent and --timeout are for a new job.")
    if not words[0]:
        raise click.UsageError("COMMAND is empty.")
    from milepost.client._cli.commands import log_setup
    from milepost.client._cli.commands.exec_runner import execute_command

    log_setup.configure(log_level)
    raise Exit(
        execute_command(
            server,
            words,
            kind=kind,
            job_id=job_id,
            parser=parser,
            stage=stage,
            content=lambda: read_input(given, settings),
            owner=owner,
            labels=labels,
            parent=parent,
            timeout=timeout,
            grace=grace,
            pty=pty,
            best_effort=best_effort,
            spool=spool,
        )
    )


def _hint(words: tuple[str, ...]) -> str:
    """What was meant by a word before ``--``: most often a kind, as the first argument of `milepost submit` is."""
    match words:
        case (kind, "--", _, *_) if KIND.fullmatch(kind):
            return f" Did you mean `milepost exec --kind {kind} -- …`?"
    return ""
