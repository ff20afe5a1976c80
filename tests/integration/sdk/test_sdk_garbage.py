"""What a call, a watch or a block held is free once that has ended, without the garbage collector."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import pytest

from milepost.client import Client, Connection, Ended, SyncClient
from milepost.client._attach.attachment import Attachment
from milepost.client._transport.token_source import CallCredential
from milepost.client._worker.attempt import Attempt
from milepost.client.errors import (
    EpochChanged,
    JobCancelled,
    JobEndedError,
    JobNotFound,
    MilepostError,
    TokenUnavailable,
    Unreachable,
)
from milepost.server.runtime.server import Server
from milepost.v1 import Dispatch
from tests.support.instances import Array, instances
from tests.support.rpc import eventually

Use: TypeAlias = Callable[[str, str], Awaitable[None]]
"""Uses the server of this address, and the job of this id, which was cancelled."""


@pytest.fixture(autouse=True)
def no_lines(caplog: pytest.LogCaptureFixture) -> None:
    """Write nothing to the log: pytest would keep the lines, and with them the exceptions."""
    caplog.set_level(logging.CRITICAL + 1)


async def ask_for_a_result(address: str, job_id: str) -> None:
    """Of a job that was cancelled."""
    array = Array()
    async with Client(address) as client:
        with suppress(JobCancelled):
            await client.result(job_id)
            raise AssertionError(array)


async def watch_a_missing_job(address: str, job_id: str) -> None:
    """While the caller has much."""
    array = Array()
    async with Client(address) as client:
        with suppress(JobNotFound):
            await anext(client.watch("missing"))
            raise AssertionError(array)


async def watch_jobs_of_another_store(address: str, job_id: str) -> None:
    """Which the server does not have."""
    array = Array()
    async with Client(address) as client:
        with suppress(EpochChanged):
            await anext(client.watch_jobs(after=1, epoch="another"))
            raise AssertionError(array)


async def watch_at_no_server(address: str, job_id: str) -> None:
    """Until it is too late to connect."""
    array = Array()
    async with Client("127.0.0.1:1", timeout=0.01) as client:
        with suppress(Unreachable):
            await anext(client.watch(job_id))
            raise AssertionError(array)


async def watch_without_a_token(address: str, job_id: str) -> None:
    """As when the server has refused the one before."""

    async def fail(credential: CallCredential, error: MilepostError, timeout: float) -> bool:
        raise TokenUnavailable("none")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CallCredential, "renew", fail)
        async with Client("127.0.0.1:1", timeout=0.5) as client:
            with suppress(TokenUnavailable):
                await anext(client.watch(job_id))
                raise AssertionError


async def subscribe_to_a_missing_job(address: str, job_id: str) -> None:
    """Whose subscription ends with an error."""
    async with Client(address) as client, client.subscriptions() as subscriptions:
        subscriptions.add("missing")
        ended = await anext(subscriptions)
        assert isinstance(ended, Ended)
        assert isinstance(ended.error, JobNotFound)


async def subscribe_with_a_callback_that_fails(address: str, job_id: str) -> None:
    """Whose error the consumer gets."""
    array = Array()

    def fail(connection: Connection) -> None:
        raise ZeroDivisionError

    async with Client(address) as client, client.subscriptions() as subscriptions:
        subscriptions.add(job_id, on_state=fail)
        with suppress(ZeroDivisionError):
            await anext(subscriptions)
            raise AssertionError(array)


async def ask_for_no_token(address: str, job_id: str) -> None:
    """A callable for tokens fails."""
    array = Array()

    async def token() -> str:
        raise OSError

    async with Client(address, token=token) as client:
        with suppress(TokenUnavailable):
            await client.get(job_id)
            raise AssertionError(array)


async def run_a_block(address: str, job_id: str) -> None:
    """To its end."""
    async with Client(address) as client, client.start("k") as job:
        job.log("hello")


async def run_a_block_at_no_server(address: str, job_id: str) -> None:
    """Which goes on without it."""
    async with (
        Client("127.0.0.1:1", timeout=0.01) as client,
        client.start("k", on_unreachable="go on", flush_timeout=0.01) as job,
    ):
        job.log("hello")


async def fail_in_a_block(address: str, job_id: str) -> None:
    """Which its job reports."""
    array = Array()
    with suppress(ZeroDivisionError):
        async with Client(address) as client, client.start("k"):
            raise ZeroDivisionError(id(array))


async def fail_in_a_task_with_a_block(address: str, job_id: str) -> None:
    """Whose exception the task keeps, and the block had the task."""
    await asyncio.wait((asyncio.create_task(_fail_in_a_block(address)),))


async def _fail_in_a_block(address: str) -> None:
    array = Array()
    async with Client(address) as client, client.start("k"):
        raise ZeroDivisionError(id(array))


async def cancel_a_block(address: str, job_id: str) -> None:
    """While it runs."""
    array = Array()
    async with Client(address) as client:
        with suppress(asyncio.CancelledError):
            async with client.start("k") as job:
                await client.cancel(job.id)
                await asyncio.Event().wait()
            raise AssertionError(array)


async def attach_to_an_ended_job(address: str, job_id: str) -> None:
    """Which refuses the claim."""
    array = Array()
    async with Client(address) as client:
        with suppress(JobEndedError):
            async with client.attach(job_id):
                raise AssertionError(array)


def get_a_missing_job_plainly(client: SyncClient, job_id: str) -> None:
    """Without asyncio."""
    array = Array()
    with suppress(JobNotFound):
        client.get("missing")
        raise AssertionError(array)


def ask_for_a_result_plainly(client: SyncClient, job_id: str) -> None:
    """Without asyncio."""
    array = Array()
    with suppress(JobCancelled):
        client.result(job_id)
        raise AssertionError(array)


def watch_a_missing_job_plainly(client: SyncClient, job_id: str) -> None:
    """Without asyncio."""
    array = Array()
    with suppress(JobNotFound):
        next(client.watch("missing"))
        raise AssertionError(array)


def fail_in_a_plain_block(client: SyncClient, job_id: str) -> None:
    """Without asyncio."""
    array = Array()
    with suppress(ZeroDivisionError), client.start("k"):
        raise ZeroDivisionError(id(array))


def attach_to_an_ended_job_plainly(client: SyncClient, job_id: str) -> None:
    """Without asyncio."""
    array = Array()
    with suppress(JobEndedError), client.attach(job_id):
        raise AssertionError(array)


def plainly(use: Callable[[SyncClient, str], None]) -> Use:
    """In another thread."""

    def run(address: str, job_id: str) -> None:
        with SyncClient(address) as client:
            use(client, job_id)

    async def run_in_thread(address: str, job_id: str) -> None:
        await asyncio.to_thread(run, address, job_id)

    run_in_thread.__name__ = use.__name__
    return run_in_thread


@pytest.mark.parametrize(
    ("use", "kind"),
    [
        (ask_for_a_result, Array),
        (watch_a_missing_job, Array),
        (watch_jobs_of_another_store, Array),
        (watch_at_no_server, Array),
        (watch_without_a_token, TokenUnavailable),
        (subscribe_to_a_missing_job, JobNotFound),
        (subscribe_with_a_callback_that_fails, Array),
        (ask_for_no_token, Array),
        (run_a_block, Attachment),
        (run_a_block, Attempt),
        (run_a_block_at_no_server, Unreachable),
        (fail_in_a_block, Attachment),
        (fail_in_a_task_with_a_block, Array),
        (cancel_a_block, Array),
        (cancel_a_block, Attachment),
        (attach_to_an_ended_job, Array),
        (attach_to_an_ended_job, Attachment),
        (plainly(get_a_missing_job_plainly), Array),
        (plainly(ask_for_a_result_plainly), Array),
        (plainly(watch_a_missing_job_plainly), Array),
        (plainly(fail_in_a_plain_block), Attachment),
        (plainly(attach_to_an_ended_job_plainly), Array),
        (plainly(attach_to_an_ended_job_plainly), Attachment),
    ],
)
async def test_what_the_caller_had_is_free(
    memory_server: Server, no_collector: None, use: Use, kind: type[object]
) -> None:
    """An error has the frames that it came through: in a cycle with one of ours, it would keep those of the caller."""
    address = memory_server.address
    async with Client(address) as client:
        job = await client.submit("k", dispatch=Dispatch.DISPATCH_EXTERNAL)
        await client.cancel(job.job_id)
    before = {id(each) for each in instances(kind)}
    await use(address, job.job_id)

    async def is_free() -> bool:
        return all(id(each) in before for each in instances(kind))

    await eventually(is_free)
