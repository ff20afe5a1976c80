"""Running a command as a job: what `milepost exec` does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path

import click

from milepost.client import Cancelled, Client, JobFailure
from milepost.client.attaching import Attached
from milepost.client.commands.errors import explain
from milepost.client.commands.options import Server
from milepost.client.commands.running import run
from milepost.client.commands.status import Status
from milepost.client.errors import MilepostError
from milepost.client.execution.progress import Reader
from milepost.client.execution.running import Execution
from milepost.client.execution.telling import Telling
from milepost.client.outcome import has_ended
from milepost.client.standard_streams import remark
from milepost.client.worker.grace import grace_of
from milepost.v1 import JobState

__all__ = ["execute_command"]

# Seconds between two looks at how long the command has to stop, which may have become less.
_LOOK = 0.5
# Of the time that it has: the rest is for ending it, before it is taken for one that cannot be ended.
_SHARE = 0.9


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
    spool: Path | None,
) -> int:
    """Runs the command as the job ``job_id`` or, where that is empty, as a new one; returns the status to exit with."""
    execution = Execution(words)

    async def claim(client: Client) -> Attached:
        if job_id:
            await client.get(
                job_id
            )  # so that one that is not there, or a server that is not, is known at once
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

    async def work() -> None:
        async with server.client() as client, await claim(client) as job:
            execution.environment["MILEPOST_JOB_ID"] = job.id
            job.raise_if_cancelled()
            with Telling(job, reader, stage) as telling:
                await execution.run(telling, lambda: _patience(client, job.id, grace))
            job.result = {"exit_status": execution.status}

    return run(_status(work(), execution))


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
            remark(f"Error: {failure}")
    except MilepostError as error:
        if execution.status is None:
            raise
        remark(f"Error: {explain(error)}")
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
