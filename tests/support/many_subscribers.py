"""Many subscribers of one job: raw streams over few connections; each subscriber resumes by itself."""

from __future__ import annotations

import asyncio
import random
import resource
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import grpc.aio

from milepost.v1 import WatchJobRequest, WatchJobResponse
from tests.support.rpc import Rpc, connect
from tests.support.validators import Recording

__all__ = ["Subscriber", "many_subscribers", "raise_open_files"]

# Streams per connection: far fewer than the server allows, since they share one flow-control window.
_STREAMS = 100

# Statuses after which a subscriber resumes.
_RESUMED = (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class Subscriber:
    """One subscriber. ``shown`` is the sequence of its last event, ``ended`` whether that ended the job."""

    def __init__(self, rpc: Rpc, job_id: str, source: random.Random) -> None:
        self._rpc = rpc
        self._job_id = job_id
        self._random = source
        self.recording = Recording(breaks=True)
        self.shown = 0
        self.ended = False

    async def follow(self) -> None:
        """Follow the job to its end; reconnect after a random backoff whenever a stream ends."""
        epoch, wait = "", 0.1
        while not self.ended:
            cursor = self.shown
            request = WatchJobRequest(job_id=self._job_id, after_sequence=cursor, epoch=epoch)
            code = await self.recording.record(self._noted(self._rpc.jobs.WatchJob(request)), cursor)
            assert code in _RESUMED, code
            epoch = self.recording.streams[-1].opened.epoch or epoch
            if not self.recording.streams[-1].frames:
                self.recording.streams.pop()  # it did not open
                wait = min(wait * 2, 2.0)
            await asyncio.sleep(self._random.uniform(0.0, wait))

    async def _noted(
        self, call: grpc.aio.UnaryStreamCall[WatchJobRequest, WatchJobResponse]
    ) -> AsyncIterator[WatchJobResponse]:
        try:
            async for frame in call:
                if frame.events.events:
                    self.shown = frame.events.events[-1].sequence
                    self.ended = frame.events.events[-1].HasField("job_ended")
                yield frame
        finally:
            call.cancel()


@asynccontextmanager
async def many_subscribers(address: str, job_id: str, size: int) -> AsyncIterator[Sequence[Subscriber]]:
    """Have ``size`` subscribers follow the job; on exit wait until they have its end."""
    async with AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(connect(address)) for _ in range(-(-size // _STREAMS))]
        subscribers = [
            Subscriber(channels[number % len(channels)], job_id, random.Random(number))
            for number in range(size)
        ]
        async with asyncio.TaskGroup() as group:
            for subscriber in subscribers:
                group.create_task(subscriber.follow())
            yield subscribers


def raise_open_files() -> None:
    """Raise the limit of open files for this process and its children."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
