"""Calls that nobody makes again but the SDK itself: a fault of the server that passes does not undo them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from milepost.client import Client, JobContext, JobSnapshot
from milepost.client._attach.withdrawal import withdraw_job
from milepost.client._bridge.outbound_bridge import OutboundBridge
from milepost.client._bridge.redis_writer import RedisWriter
from milepost.client._transport import repeated_call
from milepost.client._transport.backoff import Backoff
from milepost.client._transport.repeated_call import until_answered
from milepost.client._transport.unexplained_errors import UNEXPLAINED_LIMIT
from milepost.client.engines import child_jobs
from milepost.client.errors import JobNotFound, MilepostError, ServiceError, Unreachable
from milepost.v1 import Job

FAULT = ServiceError("error id 7", code=grpc.StatusCode.INTERNAL)
AWAY = Unreachable("somewhere")


@pytest.fixture(autouse=True)
def repeats_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No delays between calls."""
    monkeypatch.setattr(repeated_call, "Backoff", partial(Backoff, initial=0.0))


class Answers:
    """A client whose calls end with these errors, one after the other, and then with an answer."""

    def __init__(self, *errors: MilepostError) -> None:
        self.errors = [*errors]
        self.cancelled: list[str] = []

    async def get(self, job_id: str) -> JobSnapshot:
        """Get a job."""
        if self.errors:
            raise self.errors.pop(0)
        return JobSnapshot(Job(job_id=job_id))

    async def cancel(self, job_id: str, *, reason: str = "") -> JobSnapshot:
        """Cancel a job."""
        job = await self.get(job_id)
        self.cancelled.append(job_id)
        return job

    async def follow(self, job_id: str) -> AsyncIterator[JobSnapshot]:
        """Follow a job that has ended."""
        yield JobSnapshot(Job(job_id=job_id))


async def test_a_call_is_made_until_it_is_answered() -> None:
    """After errors that may pass; refusals, and faults that come back, are raised."""
    answers = Answers(*[FAULT] * (UNEXPLAINED_LIMIT - 1), AWAY, AWAY)
    assert (await until_answered(lambda: answers.get("j"))).job_id == "j"
    for raised, left in ([JobNotFound(), AWAY], [AWAY]), ([FAULT] * (UNEXPLAINED_LIMIT + 1), [FAULT]):
        answers.errors = [*raised]
        with pytest.raises(type(raised[0])):
            await until_answered(lambda: answers.get("j"))
        assert answers.errors == left


async def test_a_job_that_the_name_of_a_channel_needs() -> None:
    """Does not end the bridge to Redis by a fault that passes, as that does not end its watch."""
    bridge = OutboundBridge(cast("Client", Answers(FAULT)), cast("RedisWriter", None), None)

    assert await bridge._get("j") == Job(job_id="j")


async def test_a_job_that_nothing_will_run() -> None:
    """Is cancelled: it would be QUEUED for good."""
    answers = Answers(FAULT, AWAY)
    await withdraw_job(answers.cancel, "j")

    assert answers.cancelled == ["j"]


async def test_a_child_that_nobody_waits_for() -> None:
    """Is cancelled: it would run to its end."""
    answers, parent = Answers(FAULT, AWAY), SimpleNamespace(cancelled=False, id="parent")
    await child_jobs._stop(cast("Client", answers), cast("JobContext", cast("Any", parent)), "j")

    assert answers.cancelled == ["j"]


async def test_a_cancellation_that_comes_as_a_job_is_cancelled() -> None:
    """Is not lost: whoever has cancelled the task that made the job waits for that."""

    async def withdraw(job_id: str) -> None:
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(withdrawing.cancel)

    withdrawing = asyncio.create_task(withdraw_job(withdraw, "j"))
    await asyncio.wait((withdrawing,))

    assert withdrawing.cancelled()
