"""Refused claims, and their jobs."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from milepost.client import Client
from milepost.client._attach.claimed_job_table import ClaimedJobTable
from milepost.client.errors import (
    InvalidField,
    JobEndedError,
    JobNotFound,
    LeaseLost,
    LimitReached,
    Unreachable,
)
from milepost.v1 import Dispatch, WorkRequest
from tests.support.rpc import state_name

EXTERNAL = Dispatch.DISPATCH_EXTERNAL


async def test_what_cannot_be_claimed(client: Client) -> None:
    """Entering the block raises the SDK's error, and the block does not run."""
    queued = await client.submit("nobody-does-this")
    async with client.start("step") as over:
        pass

    async def claim(job_id: str) -> None:
        async with client.attach(job_id):
            raise AssertionError("it was entered")

    with pytest.raises(JobNotFound):
        await claim("no-such-job")
    with pytest.raises(InvalidField, match="EXTERNAL") as refused:
        await claim(queued.job_id)
    assert refused.value.violations[0][0] == "job_id"
    with pytest.raises(JobEndedError):
        await claim(over.id)
    async with client.start("step") as held:
        with pytest.raises(LeaseLost):
            await claim(held.id)
        held.log("still here")
    assert state_name(await client.get(held.id)) == "SUCCEEDED"
    with pytest.raises(InvalidField):
        async with client.start("Not A Kind"):
            pass
    await client.cancel(queued.job_id)


async def test_a_key_that_is_at_its_limit(client: Client) -> None:
    """The claim is refused until one of the key's jobs ends; then the job can be claimed."""
    key = f"key-{uuid.uuid4().hex}"
    waiting = (await client.submit("step", dispatch=EXTERNAL, concurrency_key=key)).job_id
    async with client.start("step", concurrency_key=key):
        with pytest.raises(LimitReached):
            async with client.attach(waiting):
                pass
    async with client.attach(waiting):
        pass

    assert state_name(await client.get(waiting)) == "SUCCEEDED"


async def test_a_start_that_is_refused_leaves_nothing_behind(client: Client) -> None:
    """A created job that cannot be claimed is cancelled; with a request_id it can be started again."""
    key = f"key-{uuid.uuid4().hex}"

    async def start(job_id: str, request_id: str = "") -> None:
        async with client.start("step", concurrency_key=key, job_id=job_id, request_id=request_id):
            pass

    async with client.start("step", concurrency_key=key):
        with pytest.raises(LimitReached):
            await start(f"{key}-refused")
        with pytest.raises(LimitReached):
            await start(f"{key}-again", request_id=key)
    refused = await client.get(f"{key}-refused")
    assert (state_name(refused), refused.attempt) == ("CANCELLED", 0)
    await start(f"{key}-again", request_id=key)

    assert state_name(await client.get(f"{key}-again")) == "SUCCEEDED"


async def test_a_start_that_is_given_up_leaves_nothing_behind(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the claiming task is cancelled; jobs of others are left alone."""
    claiming = asyncio.Event()

    def ask_for_nothing(_: ClaimedJobTable) -> list[WorkRequest]:
        claiming.set()
        return []

    monkeypatch.setattr(ClaimedJobTable, "opening_requests", ask_for_nothing)
    job_ids = [f"given-up-{uuid.uuid4().hex}" for _ in range(2)]
    await client.submit("step", dispatch=EXTERNAL, job_id=job_ids[1])
    for block in (client.start("step", job_id=job_ids[0]), client.attach(job_ids[1])):
        task = asyncio.create_task(block.__aenter__())
        await claiming.wait()
        claiming.clear()
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()

    assert [state_name(await client.get(job_id)) for job_id in job_ids] == ["CANCELLED", "QUEUED"]


async def test_a_block_is_entered_once(client: Client) -> None:
    """A second entry is an error."""
    attached = client.start("step")
    async with attached:
        pass
    with pytest.raises(RuntimeError, match="entered before"):
        await attached.__aenter__()


async def test_nobody_is_there() -> None:
    """Entering raises Unreachable within the client's timeout; the block does not run."""
    async with Client("127.0.0.1:1", timeout=0.3) as client:
        with pytest.raises(Unreachable):
            async with client.attach("j"):
                raise AssertionError("it was entered")


async def test_a_start_without_its_spool_leaves_nothing_behind(client: Client, tmp_path: Path) -> None:
    """The block is not entered where the spool cannot be used, and its job is cancelled."""
    (tmp_path / "file").touch()
    job_id = f"no-spool-{uuid.uuid4().hex}"
    with pytest.raises(FileExistsError):
        async with client.start("step", job_id=job_id, spool=tmp_path / "file"):
            raise AssertionError("it was entered")

    assert state_name(await client.get(job_id)) == "CANCELLED"


async def test_an_error_that_nobody_thought_of_is_raised(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and by its own name: the server seemed to be unreachable, and a client's timeout later."""

    def fail(jobs: ClaimedJobTable) -> list[WorkRequest]:
        raise ZeroDivisionError

    monkeypatch.setattr(ClaimedJobTable, "opening_requests", fail)
    job = await client.submit("external", dispatch=EXTERNAL)
    with pytest.raises(ZeroDivisionError):
        async with client.attach(job.job_id):
            raise AssertionError("the block ran")
