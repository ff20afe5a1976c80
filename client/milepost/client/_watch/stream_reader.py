"""One stream at a time, read frame by frame."""

from __future__ import annotations

import asyncio
from typing import Final, Generic, TypeVar, cast

from milepost.client._transport.error_mapping import error_from_status
from milepost.client._transport.fork_safety import grpc
from milepost.client.errors import Unreachable
from milepost.v1 import WatchJobRequest, WatchJobResponse, WatchJobsRequest, WatchJobsResponse

__all__ = ["Line"]

_Request = TypeVar("_Request", WatchJobRequest, WatchJobsRequest)
_Frame = TypeVar("_Frame", WatchJobResponse, WatchJobsResponse)

# How long to wait for the server to end the stream after job_ended, in seconds.
_GOODBYE: Final = 0.5


class Line(Generic[_Request, _Frame]):
    """The stream of a watch. Whatever becomes of it here, it is cancelled at the server."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._call: grpc.aio.UnaryStreamCall[_Request, _Frame] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reading: asyncio.Task[_Frame | None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a stream."""
        return self._call is not None

    def open(self, call: grpc.aio.UnaryStreamCall[_Request, _Frame]) -> None:
        """Takes up a stream."""
        self._loop = asyncio.get_running_loop()
        self._call = call

    async def read(self, timeout: float) -> _Frame | None:
        """The next frame; None at the end, or when the stream was dropped meanwhile.

        The read is a task of its own, so that the cancellation of a wait does not cancel the call, and loses nothing.

        Raises:
            MilepostError: The stream failed, or was silent for `timeout` seconds.
            RuntimeError: The client is closed.
        """
        call = self._call
        if call is None:
            return None
        reading = self._reading = self._reading or asyncio.create_task(_read(call))
        done, _ = await asyncio.wait((reading,), timeout=timeout)
        if self._call is not call:
            return None
        if not done:
            raise Unreachable(self._address, f"nothing was heard for {timeout:g} s")
        self._reading = None
        if reading.cancelled():
            raise RuntimeError("The client is closed.")
        try:
            frame = reading.result()
        except grpc.aio.AioRpcError as error:
            self._call = None
            raise error_from_status(error, self._address) from error
        if frame is None:
            self._call = None
        return frame

    async def goodbye(self) -> None:
        """After the last event the server ends the stream; one that does not in time is cancelled."""
        call = self._call
        if call is not None:
            try:
                async with asyncio.timeout(_GOODBYE):
                    while await _read(call) is not None:
                        pass
            except (TimeoutError, grpc.aio.AioRpcError):
                pass
        self.drop()

    def drop(self) -> asyncio.Task[_Frame | None] | None:
        """Cancels the stream, and gives the read that goes with it."""
        call, self._call = self._call, None
        reading, self._reading = self._reading, None
        if call is not None:
            call.cancel()
        if reading is not None:
            reading.add_done_callback(
                lambda read: read.cancelled() or read.exception()
            )  # nobody asks any more
        return reading

    def __del__(self) -> None:
        # gRPC does not cancel a call that nobody holds any more (grpc#43462).
        if self._call is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._call.cancel)


async def _read(call: grpc.aio.UnaryStreamCall[_Request, _Frame]) -> _Frame | None:
    frame = await call.read()
    return None if frame is grpc.aio.EOF else cast("_Frame", frame)
