"""Reader of one stream at a time, frame by frame."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Generic, TypeVar, cast

from milepost.client._transport.error_mapping import error_from_status
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.home_loop import HomeLoop
from milepost.client.errors import MilepostError, Unreachable
from milepost.v1 import WatchJobRequest, WatchJobResponse, WatchJobsRequest, WatchJobsResponse

__all__ = ["StreamReader"]

_Request = TypeVar("_Request", WatchJobRequest, WatchJobsRequest)
_Frame = TypeVar("_Frame", WatchJobResponse, WatchJobsResponse)

# Seconds to wait for the server to end the stream after job_ended.
_DRAIN_TIMEOUT: Final = 0.5
# Seconds to read what may have arrived while nobody waited and the time of a read ran out.
_LATE_READ_TIMEOUT: Final = 1.0


class StreamReader(Generic[_Request, _Frame]):
    """Reads the stream of a watch, and cancels it at the server whenever the reader goes away."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._call: grpc.aio.UnaryStreamCall[_Request, _Frame] | None = None
        self._home: HomeLoop | None = None
        self._reading: asyncio.Task[_Frame | None] | None = None
        self._read_until = 0.0
        self._is_late = False

    @property
    def is_open(self) -> bool:
        """Whether there is a stream."""
        return self._call is not None

    def open(self, call: grpc.aio.UnaryStreamCall[_Request, _Frame]) -> None:
        """Read from this stream from now on."""
        self._home = HomeLoop()
        self._call = call

    async def read(self, timeout: float) -> _Frame | None:
        """The next frame; None at the end, or if the stream was cancelled meanwhile.

        The read runs in its own task, so that cancelling the wait neither cancels the call nor loses a frame, and the
        timeout is that of the read: it runs on from one wait to the next.

        Raises:
            MilepostError: The stream failed, or was silent for `timeout` seconds.
            RuntimeError: The client is closed.
        """
        call = self._call
        if call is None:
            return None
        reading = await self._wait(call, timeout)
        if self._call is not call:
            return None
        if not reading.done():
            raise Unreachable(self._address, f"nothing was received for {timeout:g} s")
        self._reading = None
        if reading.cancelled():
            raise RuntimeError("The client is closed.")
        # Not raised here, where `reading` has it: a cycle would keep the frames of whoever iterates.
        error = reading.exception()
        if isinstance(error, grpc.aio.AioRpcError):
            self._call = None
            raise error_from_status(error, self._address) from error
        frame = reading.result()
        if frame is None:
            self._call = None
        return frame

    async def arrives(self, timeout: float) -> bool:
        """Wait for the next frame, which `read` returns then without a wait; False if that says something else."""
        call = self._call
        if call is None:
            return False
        reading = await self._wait(call, timeout)
        is_there = self._call is call and reading.done() and not reading.cancelled()
        return is_there and reading.exception() is None and reading.result() is not None

    async def _wait(
        self, call: grpc.aio.UnaryStreamCall[_Request, _Frame], timeout: float
    ) -> asyncio.Task[_Frame | None]:
        """Wait for the read that is under way, or else begin one; return it."""
        now = asyncio.get_running_loop().time()
        if self._reading is None:
            self._reading = asyncio.create_task(_read(call))
            self._read_until, self._is_late = now + timeout, False
        elif now > self._read_until and not self._is_late:
            self._read_until, self._is_late = now + _LATE_READ_TIMEOUT, True
        reading = self._reading
        # What is done is returned in the same pass of the loop: waits that are cancelled after a pass must get on, too.
        if not reading.done():
            await asyncio.wait((reading,), timeout=max(self._read_until - now, 0.0))
            self._is_late = True  # where its time is over, somebody has waited for all of it
        return reading

    async def drain(self) -> None:
        """Read to the end of the stream after its last event; cancel it if the server does not end it in time.

        Like `read`, it may be cancelled and called again.
        """
        until = asyncio.get_running_loop().time() + _DRAIN_TIMEOUT
        # Whatever ends the stream, also as the client is closed: the watch is complete.
        with contextlib.suppress(MilepostError, RuntimeError):
            while await self.read(max(until - asyncio.get_running_loop().time(), 0.0)) is not None:
                pass
        self.cancel()

    def cancel(self) -> asyncio.Task[_Frame | None] | None:
        """Cancel the stream; return its pending read, if any, and if it is of the running loop."""
        call, self._call = self._call, None
        reading, self._reading = self._reading, None
        if self._home is not None and not self._home.is_here:
            if call is not None:
                self._home.hand_over(call.cancel)
            return None
        if call is not None:
            call.cancel()
        if reading is not None:
            reading.add_done_callback(_consume_error)
        return reading

    def __del__(self) -> None:
        # gRPC does not cancel a call when its last reference goes (grpc#43462).
        if self._call is not None and self._home is not None:
            self._home.hand_over(self._call.cancel)


async def _read(call: grpc.aio.UnaryStreamCall[_Request, _Frame]) -> _Frame | None:
    frame = await call.read()
    return None if frame is grpc.aio.EOF else cast("_Frame", frame)


def _consume_error(reading: asyncio.Task[_Frame | None]) -> None:
    """Keep asyncio from logging the error of an abandoned read."""
    if not reading.cancelled():
        reading.exception()
