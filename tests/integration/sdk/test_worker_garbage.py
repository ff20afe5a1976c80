"""What a handler had is free once its job has ended, without the garbage collector."""

from __future__ import annotations

import asyncio
import logging

import pytest

from milepost.client import Client, JobContext
from milepost.client._worker.attempt import Attempt
from milepost.client._worker.handlers import Handler
from milepost.contract.job_states import has_ended
from milepost.server.runtime.server import Server
from milepost.v1 import JobState
from tests.support.instances import Array, instances
from tests.support.rpc import eventually
from tests.support.working import working


@pytest.fixture(autouse=True)
def no_lines(caplog: pytest.LogCaptureFixture) -> None:
    """Write nothing to the log: pytest would keep the lines, and with them the exceptions."""
    caplog.set_level(logging.CRITICAL + 1)


async def returns(job: JobContext) -> dict[str, object]:
    """Succeed, with a callback that nobody needed."""
    array = Array()
    job.on_cancel(lambda: array)
    with job.stage("s", total=2) as stage:
        stage.advance()
    return {"array": array}


async def fails(job: JobContext) -> None:
    """As a task."""
    array = Array()
    raise ValueError(id(array))


def fails_in_a_thread(job: JobContext) -> None:
    """As a plain function."""
    array = Array()
    raise ValueError(id(array))


async def fails_with_its_task(job: JobContext) -> None:
    """As one does that has a group of tasks."""
    array, task = Array(), asyncio.current_task()
    raise ValueError(id(array), str(task))


async def waits(job: JobContext) -> None:
    """Until the job is cancelled."""
    array = Array()
    job.on_cancel(lambda: array)
    with job.stage("s"):
        await asyncio.Event().wait()


def waits_in_a_thread(job: JobContext) -> None:
    """As a plain function."""
    array = Array()
    while array is not None:
        job.raise_if_cancelled()


@pytest.mark.parametrize("kind", [Array, Attempt])
@pytest.mark.parametrize(
    "handler", [returns, fails, fails_in_a_thread, fails_with_its_task, waits, waits_in_a_thread]
)
async def test_what_a_handler_had_is_free(
    memory_server: Server, no_collector: None, handler: Handler, kind: type[object]
) -> None:
    """A worker runs one job after another, and each may have had hundreds of megabytes."""
    before = {id(each) for each in instances(kind)}
    async with Client(memory_server.address) as client, working(memory_server.address, k=handler):
        job_id = (await client.submit("k")).job_id

        async def runs() -> bool:
            return (await client.get(job_id)).state != JobState.JOB_STATE_QUEUED

        async def is_over() -> bool:
            return has_ended((await client.get(job_id)).proto)

        async def is_free() -> bool:
            return all(id(each) in before for each in instances(kind))

        await eventually(runs)
        if handler in (waits, waits_in_a_thread):
            await client.cancel(job_id)
        await eventually(is_over)
        await eventually(is_free)
