"""A worker with an error that nobody thought of."""

from __future__ import annotations

import asyncio

import pytest

from milepost.client import JobContext, Worker
from milepost.client._worker.send_queue import SendQueue
from tests.support.scripted_sessions import Stream, assignment, scripted


async def test_a_worker_that_cannot_send_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing more is sent, its leases would expire without a word."""

    def fail(queue: SendQueue, producer: object) -> None:
        raise ZeroDivisionError

    async def assigns(stream: Stream) -> None:
        await stream.welcomes()
        await stream.says(assignment=assignment())
        await stream.ends()

    monkeypatch.setattr(SendQueue, "_poll", fail)
    async with scripted(assigns) as server:
        worker = Worker(server.address)

        @worker.job("k")
        async def handler(job: JobContext) -> None:
            job.log("hello")
            await asyncio.Event().wait()

        async with asyncio.timeout(120):
            with pytest.raises(ZeroDivisionError):
                await worker.run()
