"""Run a command as a job: the implementation of `milepost exec`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from milepost.client import Cancelled, Client, JobFailure
from milepost.client._attach import Attached
from milepost.client._cli.commands.async_runner import run
from milepost.client._cli.commands.exit_status import ExitStatus
from milepost.client._cli.commands.options import ServerOptions, unusable_file
from milepost.client._cli.commands.outcome import explain, of_job
from milepost.client._cli.exec.execution import Execution
from milepost.client._cli.exec.job_reporting import OutputReporter
from milepost.client._cli.exec.lease_recovery import LeaseHolder
from milepost.client._cli.exec.progress_patterns import ProgressParser
from milepost.client._cli.rendering.status_text import error_cause
from milepost.client._cli.standard_streams import write_stderr
from milepost.client.errors import (
    Draining,
    LimitReached,
    MilepostError,
    StoreFull,
    StoreUnavailable,
    Unreachable,
)
from milepost.v1 import JobState

__all__ = ["execute_command"]

# The server is unavailable, rather than refusing the request.
_UNAVAILABLE = (Unreachable, StoreUnavailable, StoreFull, Draining)
# It has no room for another job. For one that exists, a limit is of its concurrency key, which others hold.
_UNAVAILABLE_FOR_NEW_JOBS = (*_UNAVAILABLE, LimitReached)


def execute_command(
    server: ServerOptions,
    words: Sequence[str],
    *,
    kind: str,
    job_id: str,
    parser: ProgressParser | None,
    stage: str,
    content: Callable[[], dict[str, object]],
    owner: str,
    labels: Mapping[str, str],
    parent: str,
    timeout: float | None,
    grace: float,
    pty: bool,
    best_effort: bool,
    spool: Path | None,
) -> int:
    """Run the command as the job ``job_id``, or as a new job if that is empty. Return the exit status."""

    async def claim(client: Client) -> Attached:
        if job_id:
            # Fail now if the job does not exist or the server is unavailable.
            await client.get(job_id)
            return client.attach(job_id, spool=spool)
        return client.start(
            kind,
            content(),
            spool=spool,
            owner=owner,
            labels=labels,
            parent_job_id=parent,
            timeout=timeout,
        )

    async def work() -> int:
        task = asyncio.current_task()
        assert task is not None
        execution = Execution(words, OutputReporter(parser, stage), task.cancel, pty)
        unavailability = _UNAVAILABLE if job_id else _UNAVAILABLE_FOR_NEW_JOBS
        async with server.client(wait=not best_effort) as client:
            holder = LeaseHolder(client, execution, grace, lambda job_id: client.attach(job_id, spool=spool))
            error: BaseException | None = None
            try:
                try:
                    await holder.run(await claim(client))
                except unavailability as unavailable:
                    if not best_effort or execution.started:
                        raise
                    cause = error_cause(str(unavailable))
                    write_stderr(
                        f"The server at {server.address} is unavailable ({cause}): running without a job."
                    )
                    await _run_alone(execution)
            except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - becomes a status or is raised again
                error = raised
        return _status(error, execution, holder, spool)

    return run(work())


async def _run_alone(execution: Execution) -> None:
    # An inherited id belongs to another job.
    execution.environment["MILEPOST_JOB_ID"] = None
    execution.start()
    await execution.wait()


def _status(
    error: BaseException | None, execution: Execution, holder: LeaseHolder, spool: Path | None
) -> int:
    """The exit status: the command's, once it has one."""
    if holder.job is not None and holder.job.state == JobState.JOB_STATE_FAILED:
        write_stderr(f"Error: {holder.job.failure.message}")
        if of_job(holder.job) == ExitStatus.TIMED_OUT:
            return ExitStatus.TIMED_OUT
    status = execution.status
    if isinstance(error, Cancelled):
        return ExitStatus.CANCELLED if status is None else status
    if error is not None and status is None:
        if isinstance(error, OSError):
            raise unusable_file(error, spool) from error
        raise error
    match error:
        case JobFailure():
            if not execution.started:
                write_stderr(f"Error: {error}")
        case MilepostError():
            write_stderr(f"Error: {explain(error)}")
        case asyncio.CancelledError() | None:
            # A signal may cancel the reporting that follows the command.
            pass
        case _:
            raise error
    if execution.output_error is not None:
        write_stderr(f"Error: The command's output could not be written: {execution.output_error.strerror}.")
        return status or ExitStatus.OUTPUT_FAILED
    return status or ExitStatus.SUCCEEDED
