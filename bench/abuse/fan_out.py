"""Fan-out: 5,000 watches of many jobs, each with 100 ids of its own choice, all of the jobs that report."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator

import grpc.aio

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import JobFilter, WatchJobsRequest

__all__ = ["ATTACK"]

_PROCESSES = 2
_WATCHES = 5000 // _PROCESSES
_CONNECTIONS = 25
_IDS = 100
_INTERVAL = 0.1
"""Seconds between two reports, in each process."""


async def _run(address: str, seconds: float) -> AsyncGenerator[None]:
    job_id = await asyncio.to_thread(work.submit, address)
    async with work.connections(address, _CONNECTIONS) as channels:
        session = await work.Session.open(channels[0], job_id)
        await session.send(session.encode(work.START))
        await session.acknowledged(session.reported)
        watches: list[grpc.aio.UnaryStreamCall[bytes, bytes]] = []
        for number in range(_WATCHES):
            ids = [job_id, *(str(uuid.uuid4()) for _ in range(_IDS - 1))]
            request = WatchJobsRequest(filter=JobFilter(job_ids=ids), from_latest=True)
            method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channels[
                number % _CONNECTIONS
            ].unary_stream("/milepost.v1.JobService/WatchJobs")
            watches.append(method(request.SerializeToString()))
        for watch in watches:
            await watch.read()
        yield
        reading = [asyncio.create_task(_read(watch)) for watch in watches]
        for number in range(round(seconds / _INTERVAL)):
            await session.send(session.encode(work.progress(number + 1, 1)))
            await asyncio.sleep(_INTERVAL)
        for task in reading:
            task.cancel()
        yield


async def _read(watch: grpc.aio.UnaryStreamCall[bytes, bytes]) -> None:
    while await watch.read() is not grpc.aio.EOF:
        pass


ATTACK = Attack(_run, _PROCESSES)
