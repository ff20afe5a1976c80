"""DemoProcess a command as a job: what `milepost exec` does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from milepost.client import Cancelled, Client, JobFailure
from milepost.client._attach import Attached
from milepost.client._cli.commands.async_runner import run
from milepost.client._cli.commands.exit_status import ExitStatus
from milepost.client._cli.commands.options import Server
from milepost.client._cli.commands.outcome import explain, of_job
from milepost.client._cli.exec.execution import Execution
from milepost.client._cli.exec.job_reporting import OutputReporter
from milepost.client._cli.exec.lease_recovery import LeaseHolder
from milepost.client._cli.exec.progress_patterns import Reader
from milepost.client._cli.rendering.status_text import reason
from milepost.client._cli.standard_streams import write_stderr
from milepost.client.errors import Draining, MilepostError, StoreFull, StoreUnavailable, Unreachable

__all__ = ["execute_command"]

# What says that the server is away, rather than that it refuses.
_UNAVAILABLE = (Unreachable, StoreUnavailable, StoreFull, Draining)


def execute_command(
    server: Server,
    words: Sequence[str],
    *,
    kind: str,
    job_id: str,
    reader: Reader | None,
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
    """Runs the command as the job ``job_id`` or, where that is empty, as a new one; returns the status to exit with."""

    async def claim(client: Client) -> Attached:
        if job_id:
            # So that one that is not there, or a server that is not, is known at once.
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
        execution = Execution(words, OutputReporter(reader, stage), task.cancel, pty)
        async with server.client() as client:
            holder = LeaseHolder(client, execution, grace, lambda job_id: client.attach(job_id, spool=spool))
            error: BaseException | None = None
            try:
                try:
                    await holder.run(await claim(client))
                except _UNAVAILABLE as away:
                    if not best_effort or execution.started:
                        raise
                    write_stderr(
                        f"The server at {server.address} is away ({reason(str(away))}): no job for this command."
                    )
                    await _run_alone(execution)
            except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - it is a status, or raised again
                error = raised
        return _status(error, execution, holder)

    return run(work())


async def _run_alone(execution: Execution) -> None:
    execution.environment["MILEPOST_JOB_ID"] = None  # one that is there is not this command's
    execution.start()
    await execution.wait()


def _status(error: BaseException | None, execution: Execution, holder: LeaseHolder) -> int:
    """The status to exit with: the command's, once it has one."""
    if holder.job is not None and of_job(holder.job) == ExitStatus.TIMED_OUT:
        write_stderr(f"Error: {holder.job.failure.message}")
        return ExitStatus.TIMED_OUT
    status = execution.status
    if isinstance(error, Cancelled):
        return ExitStatus.CANCELLED if status is None else status
    if error is not None and status is None:
        if isinstance(error, OSError):
            raise click.BadParameter(f"It cannot be used: {error}.", param_hint="'--spool'") from error
        raise error
    match error:
        case JobFailure():
            if not execution.started:
                write_stderr(f"Error: {error}")
        case MilepostError():
            write_stderr(f"Error: {explain(error)}")
        case asyncio.CancelledError() | None:
            pass  # a signal may have cut short what comes after the command
        case _:
            raise error
    if execution.output_error is not None:
        write_stderr(f"Error: The output could not be passed on: {execution.output_error.strerror}.")
        return status or ExitStatus.OUTPUT_FAILED
    return status or ExitStatus.SUCCEEDED
