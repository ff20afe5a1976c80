"""A worker that does not read: it has room for 10,000 jobs, and 1,000 wait for it with 1 MB of input each."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from bench import work
from bench.abuse.attack import Attack
from bench.abuse.raw_http2 import (
    END_HEADERS,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    Connection,
    message,
    request_headers,
)
from milepost.v1 import Hello, SubmitJobRequest, WorkRequest
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["ATTACK"]

_JOBS = 1_000
_INPUT_BYTES = 1_000_000
_WORKERS = 8


async def _run(address: str, seconds: float) -> AsyncGenerator[None]:
    kind = f"unread-{uuid.uuid4()}"
    async with work.connections(address, 1) as (channel,):
        stub: JobServiceAsyncStub = JobServiceStub(channel)
        for _ in range(_JOBS):
            request = SubmitJobRequest(kind=kind)
            request.input.update({"text": "x" * _INPUT_BYTES})
            await stub.SubmitJob(request)
        yield
        async with Connection.open(address, [(INITIAL_WINDOW_SIZE, 1_000)]) as connection:
            hello = WorkRequest(hello=Hello(kinds=[kind], max_concurrency=10_000))
            for _ in range(_WORKERS):
                stream = connection.new_stream()
                connection.write(
                    HEADERS,
                    END_HEADERS,
                    stream,
                    request_headers("/milepost.v1.WorkerService/Work", address),
                )
                await connection.send(stream, message(hello.SerializeToString()))
            await asyncio.sleep(seconds)
            yield


ATTACK = Attack(_run)
