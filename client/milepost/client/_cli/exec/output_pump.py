"""A command's output on its way: unchanged to where this process writes, and line by line to the job."""

from __future__ import annotations

import array
import asyncio
import contextlib
import errno
import fcntl
import os
import select
import selectors
import termios
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from milepost.client._cli.exec.job_reporting import StreamListener
from milepost.client._cli.exec.line_splitter import LineSplitter
from milepost.client._cli.exec.output_drain import drain

__all__ = ["OutputPump", "OutputStream"]

_READ_SIZE: Final = 65_536
# A write of so many bytes to a pipe or terminal that poll calls writable does not block.
_WRITE_SIZE: Final = select.PIPE_BUF
# Libraries that buffer output write whole blocks of this size, or a multiple, wherever a line ends.
_BUFFER_BLOCK_SIZE: Final = 4096
# Seconds after which what stands in an unfinished line is what a person sees.
_PARTIAL_LINE_DELAY: Final = 0.05
# Once the command has ended: seconds of silence, and seconds altogether, for what it has left in the background.
_QUIET_PERIOD: Final = 0.5
_DRAIN_TIMEOUT: Final = 2.0
# Seconds for the thread to notice that it is to stop.
_THREAD_STOP_TIMEOUT: Final = 0.5

_COMMAND_ENDED: Final = b"e"
_CUT: Final = b"c"


@dataclass(eq=False)
class OutputStream:
    """One stream of output.

    Attributes:
        source: File descriptor that its bytes are read from; closed when they end.
        target: File descriptor that they are written to; None for nowhere.
        listener: Hears what they say.
        lines: Cuts them into lines.
    """

    source: int
    target: int | None
    listener: StreamListener
    lines: LineSplitter = field(default_factory=LineSplitter)
    pending: memoryview = field(default_factory=lambda: memoryview(b""))
    # When to poll at the unfinished line, and when what is left behind has been silent for long enough.
    partial_at: float | None = None
    quiet_at: float = 0.0
    # Bytes that the command had written when it ended, and that were not read yet.
    unread: int = 0

    def receive(self) -> bool:
        """Reads what there is; False at the end."""
        try:
            data = os.read(self.source, _READ_SIZE)
        except OSError:  # that is how a pseudo-terminal ends
            return False
        now = time.monotonic()
        for line in self.lines.feed(data):
            self.listener.handle(line)
        # A whole block was cut off by a buffer, perhaps within a number.
        self.partial_at = (
            (self.partial_at or now + _PARTIAL_LINE_DELAY) if len(data) % _BUFFER_BLOCK_SIZE else None
        )
        self.quiet_at = now + _QUIET_PERIOD
        self.unread -= len(data)
        if self.target is not None:
            self.pending = memoryview(data)
        return bool(data)

    def send(self) -> None:
        """Writes as much as can be written without waiting.

        Raises:
            OSError: Whoever read it is gone.
        """
        if self.target is None:
            return
        poll = select.poll()
        poll.register(self.target, select.POLLOUT)
        while self.pending and poll.poll(0):
            try:
                self.pending = self.pending[os.write(self.target, self.pending[:_WRITE_SIZE]) :]
            except BlockingIOError:
                return

    def poll(self, now: float) -> None:
        """Has the unfinished line looked at, if it is time."""
        if self.partial_at is not None and now >= self.partial_at:
            self.partial_at = None
            self.listener.poll(self.lines.partial())


class OutputPump:
    """Carries streams of output in one thread, so that lines reach the job in the order in which they were written.

    A parser that is slow holds up the stream that it reads, and thereby the command, as it would without us; not the
    other stream, and not the event loop, which keeps up the lease.

    Attributes:
        error: Why a target could not be written to; None also where only its parser is gone.
    """

    def __init__(self, streams: Sequence[OutputStream]) -> None:
        """Starts the thread, for the running loop."""
        self._streams = list(streams)
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        self._command_pipe, self._command_writer = os.pipe()
        # epoll hands out streams in the order in which they became readable.
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._command_pipe, selectors.EVENT_READ)
        for stream in self._streams:
            self._selector.register(stream.source, selectors.EVENT_READ, stream)
        self._drain_until: float | None = None
        self._is_cut = False
        self.error: OSError | None = None
        # A daemon, so that a terminal that takes nothing cannot keep this process alive.
        threading.Thread(target=self._run, name="output", daemon=True).start()

    def command_ended(self) -> None:
        """What was written so far is carried to its end; what is left behind is listened to for a bounded time."""
        os.write(self._command_writer, _COMMAND_ENDED)

    def cut(self) -> None:
        """Waits for nobody any more."""
        os.write(self._command_writer, _CUT)

    @property
    def is_done(self) -> bool:
        """Whether all is carried that will be."""
        return self._done.is_set()

    async def finish(self, timeout: float | None) -> None:
        """Waits until all is carried; after so many seconds what is not is given up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._done.wait()
        if not self.is_done:
            self.cut()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_THREAD_STOP_TIMEOUT):
                    await self._done.wait()

    def _run(self) -> None:
        try:
            while self._streams:
                self._step()
        finally:
            self._selector.close()
            with contextlib.suppress(RuntimeError):  # nobody waits any more
                self._loop.call_soon_threadsafe(self._done.set)

    def _step(self) -> None:
        for key, _ in self._selector.select(self._timeout()):
            if key.data is None:
                self._handle_commands(os.read(self._command_pipe, 16))
            elif key.data in self._streams:
                self._forward(key.data)
        now = time.monotonic()
        for stream in tuple(self._streams):
            stream.poll(now)
            if self._is_cut and not stream.pending and _readable(stream.source):
                self._forward(stream)  # what can be had without waiting
            if stream in self._streams and (self._is_cut or self._is_over(stream, now)):
                self._close(stream, drained=True)

    def _timeout(self) -> float | None:
        times = [stream.partial_at for stream in self._streams if stream.partial_at is not None]
        if self._drain_until is not None:
            times += [
                min(stream.quiet_at, self._drain_until) if stream.unread <= 0 else stream.quiet_at
                for stream in self._streams
                if not stream.pending
            ]
        return max(min(times) - time.monotonic(), 0.0) if times else None

    def _handle_commands(self, commands: bytes) -> None:
        if _CUT in commands:
            self._is_cut = True
        if self._drain_until is None:
            now = time.monotonic()
            self._drain_until = now + _DRAIN_TIMEOUT
            for stream in self._streams:
                stream.unread = _readable(stream.source)
                stream.quiet_at = now + _QUIET_PERIOD

    def _is_over(self, stream: OutputStream, now: float) -> bool:
        if self._drain_until is None or stream.pending:
            return False
        return now >= stream.quiet_at or (stream.unread <= 0 and now >= self._drain_until)

    def _forward(self, stream: OutputStream) -> None:
        waited = bool(stream.pending)
        if not waited and not stream.receive():
            self._close(stream)
            return
        try:
            stream.send()
        except OSError as error:  # nobody reads it; the command finds out as it would without us
            if error.errno != errno.EPIPE:
                self.error = error
            self._close(stream)
            return
        if waited == bool(stream.pending):
            return
        # A stream whose parser is slow is not read meanwhile.
        assert stream.target is not None
        before, after = (stream.source, stream.target)[:: -1 if waited else 1]
        self._selector.unregister(before)
        self._selector.register(after, selectors.EVENT_READ if waited else selectors.EVENT_WRITE, stream)
        if waited:
            stream.quiet_at = time.monotonic() + _QUIET_PERIOD

    def _close(self, stream: OutputStream, *, drained: bool = False) -> None:
        self._streams.remove(stream)
        for descriptor in (stream.source, stream.target):
            with contextlib.suppress(KeyError, ValueError):
                if descriptor is not None:
                    self._selector.unregister(descriptor)
        for line in stream.lines.end():
            stream.listener.handle(line)
        stream.listener.poll(())
        if drained:
            drain(stream.source, stream.target)
        os.close(stream.source)


def _readable(descriptor: int) -> int:
    """Bytes that wait to be read."""
    count = array.array("i", [0])
    with contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0]
