"""An ordinary user beside the attack: one who submits, a worker that reports, and a watcher of its job."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

import grpc
import grpc.aio

from bench import work
from bench.processes import MeasurementFailed
from milepost.v1 import Dispatch, SubmitJobRequest, WatchJobRequest, WatchJobResponse
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["Reports", "Seen", "use"]

_INTERVAL = 0.1
"""Seconds between two submissions, and between two reports."""

_DEADLINE = 10.0
"""Seconds after which a call, an acknowledgement or an event counts as failed."""


class Seen(NamedTuple):
    """What the user has seen: how long each thing took, in nanoseconds, and why others failed."""

    submitted: list[int]
    acknowledged: list[int]
    watched: list[int]
    failures: list[str]


async def use(address: str, seconds: float, token: str = "") -> AsyncGenerator[Seen | None]:
    """Connects in the first step; uses the service for so many seconds in each further one."""
    async with work.connections(address, 3, token=token) as (submitting, working, watching):
        stub: JobServiceAsyncStub = JobServiceStub(submitting)
        request = SubmitJobRequest(
            job_id=str(uuid.uuid4()), kind="probe", dispatch=Dispatch.DISPATCH_EXTERNAL
        )
        job_id = (await stub.SubmitJob(request, timeout=_DEADLINE)).job.job_id
        session = await work.Session.open(working, job_id)
        await session.send(session.encode(work.START))
        await session.acknowledged(session.reported)
        watch = work.watch(watching, WatchJobRequest(job_id=job_id).SerializeToString())
        reports = Reports(session, watch)
        try:
            yield None
            while True:
                yield await _use_for(seconds, stub, reports)
        finally:
            await reports.close()


async def _use_for(seconds: float, stub: JobServiceAsyncStub, reports: Reports) -> Seen:
    seen = Seen([], [], [], [])
    reports.begin(seen)

    async def submit() -> None:
        begun = time.monotonic_ns()
        request = SubmitJobRequest(kind="probe", dispatch=Dispatch.DISPATCH_EXTERNAL)
        await stub.SubmitJob(request, timeout=_DEADLINE)
        seen.submitted.append(time.monotonic_ns() - begun)

    under_way: list[asyncio.Task[None]] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, action in (("submit", submit), ("report", reports.send)):
            under_way.append(asyncio.create_task(_noting_failure(name, action, seen.failures.append)))
        await asyncio.sleep(_INTERVAL)
    await asyncio.gather(*under_way)
    await reports.finish()
    return seen


async def _noting_failure(
    name: str, action: Callable[[], Awaitable[None]], note: Callable[[str], None]
) -> None:
    try:
        await action()
    except grpc.aio.AioRpcError as error:
        note(f"{name}: {error.code().name}: {error.details()}")
    except (MeasurementFailed, grpc.aio.UsageError, asyncio.InvalidStateError) as error:
        note(f"{name}: {error}")


class Reports:
    """Reports of one progress each, with the time that each took to its acknowledgement and to the watcher."""

    def __init__(self, session: work.Session, watch: work.Stream) -> None:
        self._session = session
        self._sent: dict[int, int] = {}
        self._acknowledged = self._watched = session.reported
        self._seen = Seen([], [], [], [])
        self._changed = asyncio.Event()
        self._sending = asyncio.Lock()
        self._tasks = [
            asyncio.create_task(_noting_failure(name, action, self._note_failure))
            for name, action in (
                ("acknowledgements", self._read_acknowledgements),
                ("watch", lambda: self._read_events(watch)),
            )
        ]

    def begin(self, seen: Seen) -> None:
        """Note in ``seen`` from now on."""
        self._seen = seen

    async def send(self) -> None:
        """Send a report."""
        number = self._session.reported + 1
        request = self._session.encode(work.progress(1, 1))
        self._sent[number] = time.monotonic_ns()
        # gRPC fails a call that is written to while an earlier write has not ended.
        async with self._sending:
            await self._session.send(request)

    async def finish(self) -> None:
        """Wait for what is outstanding; what does not come within the deadline has failed."""
        until = time.monotonic() + _DEADLINE
        while min(self._acknowledged, self._watched) < self._session.reported:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), until - time.monotonic())
            except TimeoutError:
                break
        late = 2 * self._session.reported - self._acknowledged - self._watched
        self._seen.failures.extend(["report: not acknowledged or not seen in time"] * late)
        self._acknowledged = self._watched = self._session.reported
        self._sent.clear()

    async def close(self) -> None:
        """Stop reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read_acknowledgements(self) -> None:
        while True:
            await self._session.acknowledged(self._acknowledged + 1)
            last = self._session.last_acknowledged
            self._note(range(self._acknowledged + 1, last + 1), self._seen.acknowledged)
            self._acknowledged = max(self._acknowledged, last)
            self._changed.set()

    async def _read_events(self, watch: work.Stream) -> None:
        async for message in watch:
            for event in WatchJobResponse.FromString(message).events.events:
                # The job's first two events are its submission and its start; each report is one event.
                number = event.sequence - 2
                self._note([number], self._seen.watched)
                self._watched = max(self._watched, number)
            self._changed.set()
        raise MeasurementFailed("the watch ended")

    def _note_failure(self, failure: str) -> None:
        self._seen.failures.append(failure)

    def _note(self, numbers: range | list[int], times: list[int]) -> None:
        now = time.monotonic_ns()
        times.extend(now - self._sent[number] for number in numbers if number in self._sent)
