"""Answers that nobody reads: 800 calls of GetJob for a job with 1 MB of input, by a client that never reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import grpc.aio

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import Dispatch, GetJobRequest, SubmitJobRequest
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["ATTACK"]

_CALLS = 800
_CONNECTIONS = 16
_INPUT_BYTES = 1_000_000


async def _run(address: str, seconds: float) -> AsyncGenerator[None]:
    # A small window, so that an answer stays with the server until the client reads it.
    options = (("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0))
    async with work.connections(address, _CONNECTIONS, options) as channels:
        stub: JobServiceAsyncStub = JobServiceStub(channels[0])
        request = SubmitJobRequest(kind="large", dispatch=Dispatch.DISPATCH_EXTERNAL)
        request.input.update({"text": "x" * _INPUT_BYTES})
        job_id = (await stub.SubmitJob(request)).job.job_id
        yield
        # As a stream of answers, since those are sent to the application only when it asks for them.
        calls: list[grpc.aio.UnaryStreamCall[bytes, bytes]] = []
        for number in range(_CALLS):
            method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channels[
                number % _CONNECTIONS
            ].unary_stream("/milepost.v1.JobService/GetJob")
            calls.append(method(GetJobRequest(job_id=job_id).SerializeToString()))
            await asyncio.sleep(0.8 * seconds / _CALLS)
        await asyncio.sleep(0.2 * seconds)
        yield


ATTACK = Attack(_run)
