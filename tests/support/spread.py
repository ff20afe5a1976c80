"""A channel to several nodes that sends each call to another node than the one before."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import grpc
import grpc.aio

from milepost.v1 import JobFilter, OnGap, WatchJobsRequest, WatchJobsResponse, job_service_pb2_grpc

__all__ = ["Stores", "spread"]

# Reads show the state of their node, which may lag behind.
_READS = frozenset(
    f"/milepost.v1.JobService/{name}" for name in ("GetJob", "ListJobs", "WatchJob", "WatchJobs")
)

_NOTHING = JobFilter(kinds=["nothing"])

# The first node of the next client.
_first = itertools.count()


@asynccontextmanager
async def spread(
    addresses: Sequence[str], options: Sequence[tuple[str, Any]]
) -> AsyncIterator[grpc.aio.Channel]:
    """Open a channel to several nodes, as far as stubs use one.

    Writes go to any node at once. A read waits until all nodes have caught up with each other, since one node need not
    show yet what another has acknowledged: a client that needs that sends its cursor (rule 4).
    """
    async with AsyncExitStack() as stack:

        async def channel(address: str, *interceptors: grpc.aio.ClientInterceptor) -> grpc.aio.Channel:
            made = grpc.aio.insecure_channel(address, options=options, interceptors=interceptors)
            return await stack.enter_async_context(made)

        nodes = Stores([job_service_pb2_grpc.JobServiceStub(await channel(address)) for address in addresses])
        channels = [
            await channel(address, _ConsistentRead(nodes), _ConsistentWatch(nodes)) for address in addresses
        ]
        yield cast("grpc.aio.Channel", _Spread(channels))


class _Spread:
    """The part of a channel that stubs use."""

    def __init__(self, channels: Sequence[grpc.aio.Channel]) -> None:
        self._channels = channels
        self._calls = itertools.count(next(_first))

    def unary_unary(self, *how: Any, **more: Any) -> Callable[..., Any]:
        return self._in_turn([channel.unary_unary(*how, **more) for channel in self._channels])

    def unary_stream(self, *how: Any, **more: Any) -> Callable[..., Any]:
        return self._in_turn([channel.unary_stream(*how, **more) for channel in self._channels])

    def stream_stream(self, *how: Any, **more: Any) -> Callable[..., Any]:
        return self._in_turn([channel.stream_stream(*how, **more) for channel in self._channels])

    def _in_turn(self, methods: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
        def call(*request: Any, **how: Any) -> Any:
            return methods[next(self._calls) % len(methods)](*request, **how)

        return call


class Stores:
    """The stores of the nodes, reached by stubs of their ``JobService``."""

    def __init__(self, jobs: Sequence[Any]) -> None:
        self._jobs = jobs

    async def sync(self) -> None:
        """Wait until each node has everything that one of them had at the call."""
        furthest = max(await asyncio.gather(*(self._end(jobs) for jobs in self._jobs)))
        await asyncio.gather(*(self._reached(jobs, furthest) for jobs in self._jobs))

    async def _end(self, jobs: Any) -> int:
        """The position of its store; that in ``opened`` may be older."""
        frames = await _read(jobs, WatchJobsRequest(filter=_NOTHING, no_follow=True))
        return int(frames[-1].caught_up.sequence)

    async def _reached(self, jobs: Any, position: int) -> None:
        request = WatchJobsRequest(
            filter=_NOTHING, after_position=position, on_gap=OnGap.ON_GAP_SNAPSHOT, no_follow=True
        )
        await _read(jobs, request)


async def _read(jobs: Any, request: WatchJobsRequest) -> list[WatchJobsResponse]:
    while True:
        try:
            return [frame async for frame in jobs.WatchJobs(request, wait_for_ready=True)]
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.OUT_OF_RANGE:  # events were dropped meanwhile
                raise


class _Consistent:
    """Waits for all nodes before a read."""

    def __init__(self, nodes: Stores) -> None:
        self._nodes = nodes

    async def _called(self, go_on: Callable[..., Any], details: Any, request: Any) -> Any:
        method = details.method  # of grpc.aio, bytes
        if (method.decode() if isinstance(method, bytes) else method) in _READS:
            await self._nodes.sync()
        return await go_on(details, request)


class _ConsistentRead(_Consistent, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._called(continuation, client_call_details, request)


class _ConsistentWatch(_Consistent, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._called(continuation, client_call_details, request)
