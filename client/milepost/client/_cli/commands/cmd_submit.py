"""`milepost submit`."""

from __future__ import annotations

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
    option,
    output_option,
    server_options,
)
from milepost.client._cli.commands.parameter_types import seconds, stage
from milepost.client._cli.standard_streams import write_stdout
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
@input_options("MILEPOST_SUBMIT")
@option(
    "--job-id",
    default="",
    metavar="ID",
    help="Id of the job. Default: the server generates one.",
)
@job_options("MILEPOST_SUBMIT")
@option(
    "--stage",
    "stages",
    envvar="MILEPOST_SUBMIT_STAGE",
    type=stage,
    metavar="ID|JSON",
    multiple=True,
    help="Planned stage; repeat in order.",
)
@option(
    "--timeout",
    type=seconds,
    metavar="TIME",
    help="Maximum duration of the job, from the start of its first attempt.",
)
@option("--attempt-timeout", type=seconds, metavar="TIME", help="Maximum duration of one attempt.")
@option(
    "--start-deadline",
    type=seconds,
    metavar="TIME",
    help="Maximum time in the queue before the first attempt starts.",
)
@option(
    "--priority",
    type=click.IntRange(-1000, 1000),
    default=0,
    help="Higher starts first among jobs of its kind.",
)
@option(
    "--concurrency-key",
    default="",
    metavar="KEY",
    help="Limit how many jobs with this owner and key run at once.",
)
@option(
    "--concurrency-limit",
    type=click.IntRange(0, 10_000),
    default=0,
    help="Maximum number of running jobs per concurrency key; 0: 1.",
)
@option(
    "--max-attempts",
    type=click.IntRange(1, 1000),
    default=1,
    metavar="N",
    help="Maximum number of attempts. Exceptions, crashes, attempt timeouts and lost workers are retried; failures "
    "that the handler marked as final are not.",
)
@option(
    "--retry-code",
    "retry_codes",
    envvar="MILEPOST_SUBMIT_RETRY_CODE",
    metavar="CODE",
    multiple=True,
    help="Also retry failures with this code, even if the handler marked them as final.",
)
@option(
    "--planned-children",
    type=click.IntRange(0, limits.CHILDREN),
    default=0,
    metavar="N",
    help="Number of child jobs to expect; 0: unknown.",
)
@option(
    "--workload",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Size of the job, for estimates; 0: unknown.",
)
@option("--workload-unit", default="", metavar="UNIT", help="Unit of the workload, such as bytes.")
@option("--external", is_flag=True, help="Do not dispatch to workers; the code that runs the job claims it.")
@option(
    "--request-id",
    default="",
    metavar="ID",
    help="Idempotency key: the same id and content return the same job.",
)
@option("--watch", "-w", is_flag=True, help="Follow the job and exit with its status.")
@option(
    "--wait", is_flag=True, help="Wait until the job ends, print only problems, and exit with its status."
)
@option("--wait-timeout", type=seconds, metavar="TIME", help="Stop waiting after this time with status 124.")
@output_option
@server_options
def submit(
    server: ServerOptions,
    kind: str,
    given: str | None,
    settings: tuple[tuple[str, str], ...],
    job_id: str,
    owner: str,
    labels: dict[str, str],
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
    """Submit a job of KIND and print its id.

    With --output json prints the job; with --watch its events, with --wait the job once it has ended.
    """
    if wait_timeout is not None and not (watch or wait):
        raise click.UsageError("--wait-timeout requires --watch or --wait.")
    if retry_codes and max_attempts < 2:
        raise click.UsageError("--retry-code requires --max-attempts of 2 or more.")

    from milepost.client._cli.commands.async_runner import run
    from milepost.client._cli.commands.follow import (
        follow,
        print_failure,
        print_result,
        view_for,
        waiting_view_for,
    )
    from milepost.client._cli.commands.outcome import of_job
    from milepost.client._cli.rendering.message_json import message_line
    from milepost.v1 import Dispatch, RetryPolicy

    async def submitted(client: Client) -> Job:
        job = await client.submit(
            kind,
            read_input(given, settings),
            job_id=job_id,
            request_id=request_id,
            owner=owner,
            labels=labels,
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
                write_stdout(job.job_id)
            if watch or wait:
                view = view_for(output) if watch else waiting_view_for(output)
                job = await follow(client, job, view, timeout=wait_timeout)
            if output == "json" and not watch:
                write_stdout(message_line(job))
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
