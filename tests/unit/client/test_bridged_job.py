"""A job of a bridge, without a server and without channels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date
from typing import cast

import pytest

from milepost.client._attach.attached_job import AttachedJob
from milepost.client._attach.attachment import Attachment
from milepost.client._attach.offline_block import OfflineBlock
from milepost.client._bridge.bridged_job import BridgedJob
from milepost.client._bridge.mapped_message import MappedMessage
from milepost.client._bridge.message_mapping import JobRules
from milepost.client._worker.cancel_signal import Cancelled
from milepost.v1 import Job


class CancelledClaim:
    """An attachment to a job that is cancelled as soon as it is claimed."""

    def __init__(self) -> None:
        self.stop: Cancelled | None = None
        self.ends: list[BaseException | None] = []

    async def claim(self, on_stop: Callable[[], None]) -> AttachedJob:
        """Claim the job, and have it stop."""
        self.stop = Cancelled()
        return OfflineBlock(Job(job_id="j", kind="k")).job

    async def end(self, error: BaseException | None) -> None:
        """Note the end."""
        self.ends.append(error)

    def exception_to_raise(self, error: BaseException | None) -> BaseException | None:
        """The end was accepted."""
        return None


async def test_an_application_that_cannot_be_asked_to_stop() -> None:
    """As where the message of the mapping has a date, which JSON does not have: the job ends as cancelled ones do.

    Otherwise the bridge would hold it until it is idle.
    """

    async def ask_to_stop() -> bool:
        json.dumps({"at": date(2026, 1, 1)})
        return True

    async def cancel() -> None:
        raise AssertionError

    claim = CancelledClaim()
    job = BridgedJob("1", cast(Attachment, claim), JobRules(), cancel=cancel, ask_to_stop=ask_to_stop)
    async with asyncio.timeout(120):
        assert await job.run()

    assert [type(error) for error in claim.ends] == [asyncio.CancelledError]


class Claim(CancelledClaim):
    """An attachment to a job that goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.detached = 0

    async def claim(self, on_stop: Callable[[], None]) -> AttachedJob:
        """Claim the job."""
        return OfflineBlock(Job(job_id="j", kind="k")).job

    async def detach(self, timeout: float) -> None:
        """Note it."""
        self.detached += 1


async def test_a_message_that_cannot_be_reported_does_not_keep_the_job() -> None:
    """A mapping may make a severity that there is none of: the job is left to whoever claims it next.

    Otherwise its lease would be renewed, by a job that the bridge does not know any more, for as long as that runs.
    """

    async def unasked() -> bool:
        raise AssertionError

    claim = Claim()
    job = BridgedJob("1", cast(Attachment, claim), JobRules(), cancel=unasked, ask_to_stop=unasked)
    job.receive(MappedMessage(id="1", log="text", severity="loud"), 1, congested=False)
    with pytest.raises(ValueError, match="loud"):
        await job.run()

    assert (claim.detached, claim.ends) == (1, [])


class CancelledDuringClaim(Claim):
    """An attachment to a job whose cancellation comes with it."""

    async def claim(self, on_stop: Callable[[], None]) -> AttachedJob:
        """Claim the job, and say at once that it is to stop."""
        self.stop = Cancelled()
        on_stop()
        return await super().claim(on_stop)


async def test_a_bridge_that_leaves_a_job_asks_its_application_no_more() -> None:
    """The next bridge asks; and each asks once."""
    steps: list[str] = []
    is_asked = asyncio.Event()

    async def ask_to_stop() -> bool:
        steps.append("asked")
        is_asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            steps.append("left")
        return True

    async def cancel() -> None:
        raise AssertionError

    claim = CancelledDuringClaim()
    job = BridgedJob("1", cast(Attachment, claim), JobRules(), cancel=cancel, ask_to_stop=ask_to_stop)
    running = asyncio.create_task(job.run())
    await is_asked.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    job.leave()
    assert await running
    for _ in range(10):
        await asyncio.sleep(0)

    assert (steps, claim.detached) == (["asked", "left"], 1)


class CancelledBefore(CancelledClaim):
    """An attachment to a job that is cancelled before it is claimed whole."""

    async def claim(self, on_stop: Callable[[], None]) -> AttachedJob:
        """Say that it was cancelled."""
        raise Cancelled


async def test_a_job_that_is_cancelled_while_it_is_claimed() -> None:
    """Its application is asked to stop, too: it would work to its end for a job that is CANCELLED."""
    asked: list[str] = []

    async def ask_to_stop() -> bool:
        asked.append("1")
        return False

    async def cancel() -> None:
        raise AssertionError

    claim = CancelledBefore()
    job = BridgedJob("1", cast(Attachment, claim), JobRules(), cancel=cancel, ask_to_stop=ask_to_stop)

    assert await job.run()
    assert asked == ["1"]


async def test_a_bridge_that_is_stopped_while_a_job_is_being_cancelled_leaves_no_task() -> None:
    """Asyncio would complain of one that is garbage before it has ended."""
    is_cancelled = asyncio.Event()

    async def cancel() -> None:
        is_cancelled.set()

    async def unasked() -> bool:
        raise AssertionError

    before = asyncio.all_tasks()
    job = BridgedJob("1", cast(Attachment, Claim()), JobRules(), cancel=cancel, ask_to_stop=unasked)
    job.receive(MappedMessage(id="1", end="cancelled"), 1, congested=False)
    running = asyncio.ensure_future(job.run())
    await is_cancelled.wait()
    running.cancel()
    await asyncio.wait((running,))
    await asyncio.sleep(0)

    assert asyncio.all_tasks() == before
