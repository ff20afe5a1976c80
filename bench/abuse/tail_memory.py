"""Tail memory: watches that ask for the same events in many ways, of which some are never read.

Of 100 jobs with 1 MB of input, each 16 watches with batches of different sizes, unread. Of a log of many small commits,
25 watches with filters of their own that hide all of it, one event a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import grpc.aio

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import Dispatch, EventFilter, JobFilter, SubmitJobRequest, WatchJobRequest, WatchJobsRequest
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["ATTACK"]

_CONNECTIONS = 16
_JOBS = 100
_INPUT_BYTES = 1_000_000
_BATCH_SIZES = range(1, 17)
_EVENTS = 20_000
_FILTERS = 25


async def _run(address: str, seconds: float) -> AsyncGenerator[None]:
    # A small window, so that a response stays with the server until the client reads it.
    options = (("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0))
    async with work.connections(address, _CONNECTIONS, options) as channels:
        stub: JobServiceAsyncStub = JobServiceStub(channels[0])
        request = SubmitJobRequest(kind="large", dispatch=Dispatch.DISPATCH_EXTERNAL)
        request.input.update({"text": "x" * _INPUT_BYTES})
        job_ids = [(await stub.SubmitJob(request)).job.job_id for _ in range(_JOBS)]
        await _write_small_commits(address)
        yield
        unread: list[grpc.aio.UnaryStreamCall[bytes, bytes]] = []
        reading: list[asyncio.Task[None]] = []
        for number in range(_FILTERS):
            hiding = EventFilter(payloads=["artifact_added"], stage_ids=[f"stage-{number}"])
            small = WatchJobsRequest(
                filter=JobFilter(kinds=["bench"]), event_filter=hiding, max_batch_events=1, no_follow=True
            )
            watch = _open(channels[number % _CONNECTIONS], "WatchJobs", small.SerializeToString())
            reading.append(asyncio.create_task(_read(watch)))
        for size in _BATCH_SIZES:
            for number, job_id in enumerate(job_ids):
                large = WatchJobRequest(job_id=job_id, max_batch_events=size)
                channel = channels[number % _CONNECTIONS]
                unread.append(_open(channel, "WatchJob", large.SerializeToString()))
            await asyncio.sleep(seconds / len(_BATCH_SIZES))
        for task in reading:
            task.cancel()
        yield


async def _write_small_commits(address: str) -> None:
    job_id = await asyncio.to_thread(work.submit, address)
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, job_id)
        await session.send(session.encode(work.START))
        for number in range(_EVENTS):
            await session.send(session.encode(work.progress(number + 1, 1)))
            await session.acknowledged(session.reported)


def _open(channel: grpc.aio.Channel, method: str, request: bytes) -> grpc.aio.UnaryStreamCall[bytes, bytes]:
    call: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
        f"/milepost.v1.JobService/{method}"
    )
    return call(request)


async def _read(watch: grpc.aio.UnaryStreamCall[bytes, bytes]) -> None:
    while await watch.read() is not grpc.aio.EOF:
        pass


ATTACK = Attack(_run)
