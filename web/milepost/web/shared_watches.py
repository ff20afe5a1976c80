"""Watches of an application's users; those of one job share a stream of the server.

Each watch begins with a stream of its own, since each resumes at another cursor. Once they have caught up, all watches
of the same job with the same rights would get the same frames. So the stream of the first serves all of them, and each
further watch ends its own at an event that both have reached.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable
from functools import partial
from typing import Final

from google.rpc import code_pb2

from milepost.v1 import WatchJobResponse
from milepost.web.http_errors import service_error
from milepost.web.service import Send

LAG_LIMIT: Final = 256 << 10
"""Maximum bytes of frames that a reader may be behind the fastest reader of the same stream."""

_RECENT_FRAMES: Final = 16
"""Frames that are kept although all readers have them: a stream that has just caught up joins after one of them."""

_OPENED, _CAUGHT_UP = b"\x0a", b"\x22"
"""The tags of these frames."""


class SharedWatches:
    """Watches by key. Those of one key differ in where they start, and in nothing else."""

    def __init__(self) -> None:
        self._streams: dict[Hashable, _SharedStream] = {}

    async def watch(self, key: Hashable, frames: AsyncGenerator[bytes, None], send: Send) -> None:
        """Send the frames of a stream that has just been opened, and close it.

        Raises what ``frames`` and ``send`` raise; ServiceError UNAVAILABLE if others read much faster.
        """
        is_own = True
        try:
            epoch = ""
            position: _Position | None = None
            async for frame in frames:
                await send(frame)
                # Before it has caught up, no other frames of the stream are decoded.
                if position is not None:
                    position.advance(frame)
                elif frame.startswith(_OPENED):
                    epoch = WatchJobResponse.FromString(frame).opened.epoch
                elif frame.startswith(_CAUGHT_UP):
                    position = _Position(epoch, WatchJobResponse.FromString(frame).caught_up.sequence)
                if position is None:
                    continue
                shared = self._streams.get(key)
                if shared is None:
                    shared = self._streams[key] = _SharedStream(
                        frames, position, partial(self._streams.pop, key)
                    )
                    is_own = False
                reader = shared.join(position)
                if reader is not None:
                    if is_own:
                        # Not awaited: the reader has to leave the other stream also if it is cancelled meanwhile.
                        is_own = False
                        _close_soon(frames)
                    break
            else:
                return
        finally:
            if is_own:
                await frames.aclose()
        await shared.send_to(reader, send)


class _Position:
    """How far a stream that has caught up is."""

    def __init__(self, epoch: str, cursor: int) -> None:
        self.epoch = epoch
        self.cursor = cursor
        self.had_status = False
        """Whether a status came since the stream caught up."""
        self.has_estimate_or_wait = False
        """Whether the newest status has an estimate, or what the job waits for."""

    def advance(self, frame: bytes) -> None:
        """Advance past a frame."""
        response = WatchJobResponse.FromString(frame)
        match response.WhichOneof("frame"):
            case "opened":
                self.epoch = response.opened.epoch
            case "events" if response.events.events:
                self.cursor = response.events.events[-1].sequence
            case "caught_up":
                self.cursor = response.caught_up.sequence
            case "snapshot":
                self.cursor = response.snapshot.job.last_sequence
            case "status":
                status = response.status
                self.cursor = status.cursor
                self.had_status = True
                self.has_estimate_or_wait = status.HasField("estimate") or status.HasField("waiting")


class _Reader:
    """A reader of a shared stream: the number of its next frame, and the future that it waits for."""

    def __init__(self, next_frame: int) -> None:
        self.next_frame = next_frame
        self._wakeup: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Wait for ``wake``."""
        self._wakeup = asyncio.get_running_loop().create_future()
        await self._wakeup

    def wake(self) -> None:
        """End the wait."""
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)


class _SharedStream:
    """A stream that has caught up, read at the pace of its fastest reader, until no reader is left."""

    def __init__(
        self, frames: AsyncGenerator[bytes, None], begun: _Position, on_end: Callable[[], object]
    ) -> None:
        self._frames = frames
        self._position = _Position(begun.epoch, begun.cursor)
        self._on_end = on_end
        self._is_closed = False
        self._kept: deque[tuple[bytes, int]] = deque()
        """Frames, each with the cursor after it."""
        self._first = 0
        """The number of the first one, in all of the stream."""
        self._cursor_before = begun.cursor
        """The cursor before the first one."""
        self._size = 0
        self._readers: set[_Reader] = set()
        self._is_read = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(self._end)

    def join(self, position: _Position) -> _Reader | None:
        """Return a reader that continues at the position of another stream; None if that is not possible.

        The reader would miss the newest status if the other stream had none, or events that are no longer kept.
        """
        if position.epoch != self._position.epoch:
            return None
        if self._position.has_estimate_or_wait and not position.had_status:
            return None
        next_frame = self._frame_after(position.cursor)
        if next_frame is None:
            return None
        reader = _Reader(next_frame)
        self._readers.add(reader)
        return reader

    async def send_to(self, reader: _Reader, send: Send) -> None:
        """Send the frames, to the end. Raises what reading and sending raise, and ServiceError to a slow reader."""
        try:
            while True:
                number = reader.next_frame - self._first
                if number < 0:
                    raise service_error(
                        code_pb2.UNAVAILABLE, "This stream is read too slowly. Go on after its last event."
                    )
                if number < len(self._kept):
                    reader.next_frame += 1
                    await send(self._kept[number][0])
                elif self._reading.done():
                    return self._reading.result()
                else:
                    self._is_read.set()
                    await reader.wait()
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._close()
                self._reading.cancel()

    async def _read(self) -> None:
        async for frame in self._frames:
            self._position.advance(frame)
            self._kept.append((frame, self._position.cursor))
            self._size += len(frame)
            self._evict()
            self._is_read.clear()
            for reader in self._readers:
                reader.wake()
            await self._is_read.wait()

    def _evict(self) -> None:
        """Evict frames that no reader needs, and those beyond ``LAG_LIMIT``."""
        needed = min(reader.next_frame for reader in self._readers)
        needed = min(needed, self._first + len(self._kept) - _RECENT_FRAMES)
        while self._first < needed or (self._size > LAG_LIMIT and len(self._kept) > 1):
            frame, self._cursor_before = self._kept.popleft()
            self._size -= len(frame)
            self._first += 1

    def _frame_after(self, cursor: int) -> int | None:
        if cursor == self._cursor_before:
            return self._first
        numbers = (number for number, (_, after) in enumerate(self._kept, 1) if after == cursor)
        number = next(numbers, None)
        return None if number is None else self._first + number

    def _close(self) -> None:
        """Accept no more readers."""
        if not self._is_closed:
            self._is_closed = True
            self._on_end()

    def _end(self, reading: asyncio.Task[None]) -> None:
        self._close()
        if not reading.cancelled():
            reading.exception()  # there may be nobody left to retrieve it
        for reader in self._readers:
            reader.wake()
        # The task may have ended before its first step, and then the stream is as it was.
        _close_soon(self._frames)


def _close_soon(frames: AsyncGenerator[bytes, None]) -> None:
    closing = asyncio.ensure_future(frames.aclose())
    _CLOSING.add(closing)
    closing.add_done_callback(_CLOSING.discard)


_CLOSING: Final[set[asyncio.Future[None]]] = set()
"""Tasks that close streams: the event loop has only weak references to tasks."""
