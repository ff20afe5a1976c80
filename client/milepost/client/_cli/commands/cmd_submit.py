"""`milepost submit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import command
from milepost.client._cli.commands.job_input import read_input
from milepost.client._cli.commands.options import Server, option, output_option, server_options
from milepost.client._cli.commands.parameter_types import pair, seconds, stage
from milepost.client._cli.standard_streams import put
from milepost.contract import limits

if TYPE_CHECKING:
    from milepost.client import Client
    from milepost.v1 import Job, Stage

__all__ = ["submit"]

_EXAMPLES: Final = (
    "milepost submit archive --set path=/srv/photos --set output=/srv/photos.tar.zst --watch",
    "milepost submit archive --input @input.json --label team=photos --max-attempts 3",
)


@command(examples=_EXAMPLES)
@click.argument("kind", shell_complete=completion.kinds)
@option(
    "--input",
    "-i",
    "given",
    envvar="MILEPOST_SUBMIT_INPUT",
    metavar="JSON|@FILE|-",
    help="The job's input, a JSON object; - reads stdin.",
)
@option(
    "--set",
    "-s",
    "settings",
    envvar="MILEPOST_SUBMIT_SET",
    type=pair,
    metavar="KEY=VALUE",
    multiple=True,
    help="Set one value of the input: JSON if it can be read as such, else text. Dots in the key go deeper.",
)
@option(
    "--job-id",
    default="",
    metavar="ID",
    help="The job's id, where it is not to be one of the server's making.",
)
@option("--owner", default="", metavar="NAME", help="Whose job it is.")
@option(
    "--label",
    "-l",
    "labels",
    envvar="MILEPOST_SUBMIT_LABEL",
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
@option(
    "--stage",
    "stages",
    envvar="MILEPOST_SUBMIT_STAGE",
    type=stage,
    metavar="ID|JSON",
    multiple=True,
    help="A stage that is known beforehand, in order.",
)
@option(
    "--timeout", type=seconds, metavar="TIME", help="The longest that it may take, from its first attempt on."
)
@option("--attempt-timeout", type=seconds, metavar="TIME", help="The longest that one attempt may run.")
@option(
    "--start-deadline",
    type=seconds,
    metavar="TIME",
    help="The longest that it may wait for its first attempt.",
)
@option("--priority", type=click.IntRange(-1000, 1000), default=0, help="Higher ones of its kind go first.")
@option("--concurrency-key", default="", metavar="KEY", help="Jobs of the same owner and key take turns.")
@option(
    "--concurrency-limit",
    type=click.IntRange(0, 10_000),
    default=0,
    help="How many of its key may run at once; 0: 1.",
)
@option(
    "--max-attempts",
    type=click.IntRange(1, 1000),
    default=1,
    metavar="N",
    help="Retry until N attempts have failed: after exceptions, crashes, attempt timeouts and lost workers, not after "
    "failures that a handler marked as final.",
)
@option(
    "--retry-code",
    "retry_codes",
    envvar="MILEPOST_SUBMIT_RETRY_CODE",
    metavar="CODE",
    multiple=True,
    help="Retry failures with this code, although the handler marked them as final.",
)
@option(
    "--planned-children",
    type=click.IntRange(0, limits.CHILDREN),
    default=0,
    metavar="N",
    help="How many child jobs it will have; 0: unknown.",
)
@option(
    "--workload", type=click.FloatRange(min=0), default=0.0, help="The job's size, for estimates; 0: unknown."
)
@option("--workload-unit", default="", metavar="UNIT", help="What the workload counts, such as bytes.")
@option("--external", is_flag=True, help="Another engine runs it, and its code claims the job.")
@option("--request-id", default="", metavar="ID", help="The same id and content give the same job again.")
@option("--watch", "-w", is_flag=True, help="Follow the job, and exit with its status.")
@option("--wait", is_flag=True, help="Wait for its end, say only what goes wrong, and exit with its status.")
@option(
    "--wait-timeout", type=seconds, metavar="TIME", help="Stop waiting after this time, with the status 124."
)
@output_option
@server_options
def submit(
    server: Server,
    kind: str,
    given: str | None,
    settings: tuple[tuple[str, str], ...],
    job_id: str,
    owner: str,
    labels: tuple[tuple[str, str], ...],
    parent: str,
    stages: tuple[Stage, ...],
    timeout: float | None,
    attempt_timeout: float | None,
    start_deadline: float | None,
    priority: int,
    concurrency_key: str,
    concurrency_limit: int,
    max_attempts: int,
    retry_codes: tuple[str, ...],
    planned_children: int,
    workload: float,
    workload_unit: str,
    external: bool,
    request_id: str,
    watch: bool,
    wait: bool,
    wait_timeout: float | None,
    output: str,
) -> None:
    """Submit a job of KIND, and print its id.

    With --output json the job is printed, or its events with --watch, or the job as it ended with --wait.
    """
    if wait_timeout is not None and not (watch or wait):
        raise click.UsageError("--wait-timeout is for --watch and --wait.")
    if retry_codes and max_attempts < 2:
        raise click.UsageError(
            "--retry-code is for --max-attempts of 2 and more: one attempt is never retried."
        )

    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.exit_status_of import of_job
    from milepost.client._cli.commands.follow import (
        follow,
        print_failure,
        print_result,
        view_for,
        waiting_view_for,
    )
    from milepost.client._cli.rendering.message_json import message_line
    from milepost.v1 import Dispatch, RetryPolicy

    async def submitted(client: Client) -> Job:
        job = await client.submit(
            kind,
            read_input(given, settings),
            job_id=job_id,
            request_id=request_id,
            owner=owner,
            labels=dict(labels),
            parent_job_id=parent,
            stages=stages,
            planned_children=planned_children,
            workload=workload,
            workload_unit=workload_unit,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            start_deadline=start_deadline,
            priority=priority,
            concurrency_key=concurrency_key,
            concurrency_limit=concurrency_limit,
            retry_policy=RetryPolicy(max_attempts=max_attempts, retryable_codes=retry_codes)
            if max_attempts > 1
            else None,
            dispatch=Dispatch.DISPATCH_EXTERNAL if external else Dispatch.DISPATCH_QUEUE,
        )
        return job.proto

    async def main() -> Job:
        async with server.client() as client:
            job = await submitted(client)
            if output != "json":
                put(job.job_id)
            if watch or wait:
                view = view_for(output) if watch else waiting_view_for(output)
                job = await follow(client, job, view, timeout=wait_timeout)
            if output == "json" and not watch:
                put(message_line(job))
            return job

    try:
        job = run(main())
    except (TypeError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="'--input'") from error
    if watch and output != "json":
        print_result(job)
    elif wait and output != "json":
        print_failure(job)
    if watch or wait:
        raise Exit(of_job(job))
