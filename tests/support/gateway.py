"""A gRPC proxy between client and server that may not support streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import grpc
import grpc.aio

from milepost.v1 import WatchJobRequest, WatchJobsRequest

Context = grpc.aio.ServicerContext[Any, Any]

_STREAMS: dict[str, type[WatchJobRequest] | type[WatchJobsRequest]] = {
    "/milepost.v1.JobService/WatchJob": WatchJobRequest,
    "/milepost.v1.JobService/WatchJobs": WatchJobsRequest,
}


class Gateway(grpc.GenericRpcHandler):
    """Forwards calls; its ``mode`` says how it treats streams.

    - ``pass``: forwards each frame at once
    - ``swallow``: forwards nothing
    - ``cut``: ends them with UNAVAILABLE at once
    - ``hold``: forwards all frames when the server has ended the stream
    - ``finite``: passes streams that end at the head, and cuts the others.

    With ``frames`` set, it cuts off a passing stream after so many frames, and then switches to the mode ``then``.
    ``opened`` counts all streams, ``open`` those that clients have not left; ``calls`` has the names of other calls.
    """

    def __init__(self, channel: Any) -> None:  # a grpc.aio.Channel, whose type does not allow for plain bytes
        self._channel = channel
        self.address = ""
        self.mode: Literal["pass", "swallow", "cut", "hold", "finite"] = "pass"
        self.frames: int | None = None
        self.then: Literal["hold"] | None = None
        self.opened = 0
        self.open = 0
        self.calls: list[str] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Return the handler of a method."""
        path = handler_call_details.method
        if path in _STREAMS:

            async def stream(request: bytes, context: Context) -> None:
                await self._stream(path, request, context)

            return grpc.unary_stream_rpc_method_handler(stream)

        async def call(request: bytes, context: Context) -> Any:
            self.calls.append(path.rpartition("/")[2])
            try:
                return await self._channel.unary_unary(path)(request)
            except grpc.aio.AioRpcError as error:
                return await _refuse(context, error)

        return grpc.unary_unary_rpc_method_handler(call)

    async def _stream(self, path: str, request: bytes, context: Context) -> None:
        self.opened += 1
        self.open += 1
        try:
            await self._forward(path, request, context)
        except grpc.aio.AioRpcError as error:
            await _refuse(context, error)
        finally:
            self.open -= 1

    async def _forward(self, path: str, request: bytes, context: Context) -> None:
        if self.mode == "swallow":
            await asyncio.Event().wait()
        if self.mode == "cut" or (self.mode == "finite" and not _STREAMS[path].FromString(request).no_follow):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "cut off")
        call = self._channel.unary_stream(path)(request)
        try:
            if self.mode == "hold":
                for frame in [frame async for frame in call]:
                    await context.write(frame)
                return
            left = self.frames
            async for frame in call:
                await context.write(frame)
                if left is not None:
                    left -= 1
                    if left <= 0:
                        self.mode = self.then or self.mode
                        await context.abort(grpc.StatusCode.UNAVAILABLE, "cut off")
        finally:
            call.cancel()


async def _refuse(context: Context, error: grpc.aio.AioRpcError) -> Any:
    """Refuse the call with the server's status."""
    context.set_trailing_metadata(tuple(error.trailing_metadata() or ()))
    await context.abort(error.code(), error.details() or "")


@asynccontextmanager
async def gateway(target: str) -> AsyncIterator[Gateway]:
    """Run a gateway on a free loopback port."""
    async with grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        between = Gateway(channel)
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((between,))
        between.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        try:
            yield between
        finally:
            await server.stop(None)
