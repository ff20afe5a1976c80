"""Forward a command's output: unchanged to this process's output, and line by line to the job."""

from __future__ import annotations

import array
import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import select
import selectors
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from milepost.client._cli.exec.job_reporting import StreamListener
from milepost.client._cli.exec.line_splitter import LineSplitter
from milepost.client._cli.exec.output_drain import drain
from milepost.client._worker.timed_wait import completes

__all__ = ["OutputPump", "OutputStream"]

_logger = logging.getLogger("milepost.client")

_READ_SIZE: Final = 65_536
# A write of at most this many bytes to a pipe or terminal that polls as writable does not block.
_WRITE_SIZE: Final = select.PIPE_BUF
# Buffering libraries write blocks of this size or a multiple, regardless of line ends.
_BUFFER_BLOCK_SIZE: Final = 4096
# Seconds without output after which an unfinished line is handled.
_PARTIAL_LINE_DELAY: Final = 0.05
# After the command has ended: seconds of silence, and seconds in total, to wait for output of background processes.
_QUIET_PERIOD: Final = 0.5
_DRAIN_TIMEOUT: Final = 2.0
# Seconds to wait for the thread to stop.
_THREAD_STOP_TIMEOUT: Final = 0.5

_COMMAND_ENDED: Final = b"e"
_CUT: Final = b"c"


@dataclass(eq=False)
class OutputStream:
    """One stream of output.

    Attributes:
        source: File descriptor to read from; closed at its end.
        target: File descriptor to write to; None for nowhere.
        listener: Handles the lines.
        write: Writes to ``target``, as `os.write` does.
        lines: Splits the bytes into lines.
        pending: Bytes read and not yet written.
        partial_at: When to handle the unfinished line; None without one.
        quiet_at: When background processes have been silent for long enough.
        unread: Bytes that the command had written when it ended and that are not yet read.
        is_faulty: Whether some of its lines could not be handled.
    """

    source: int
    target: int | None
    listener: StreamListener
    write: Callable[[int, memoryview], int] = os.write
    lines: LineSplitter = field(default_factory=LineSplitter)
    pending: memoryview = field(default_factory=lambda: memoryview(b""))
    partial_at: float | None = None
    quiet_at: float = 0.0
    unread: int = 0
    is_faulty: bool = False

    def receive(self) -> bool:
        """Read what is available. Return False at the end."""
        try:
            data = os.read(self.source, _READ_SIZE)
        except OSError:
            # A pseudo-terminal ends with an error.
            return False
        now = time.monotonic()
        if self.target is not None:
            self.pending = memoryview(data)
        with self._logging_errors():
            for line in self.lines.feed(data):
                self.listener.handle(line)
        # A full block is cut by a buffer, perhaps within a number: more follows.
        self.partial_at = (
            (self.partial_at or now + _PARTIAL_LINE_DELAY) if len(data) % _BUFFER_BLOCK_SIZE else None
        )
        self.quiet_at = now + _QUIET_PERIOD
        self.unread -= len(data)
        return bool(data)

    def send(self) -> None:
        """Write as much as possible without blocking.

        Raises:
            OSError: The target cannot be written, or its reader is gone.
        """
        if self.target is None:
            return
        poll = select.poll()
        poll.register(self.target, select.POLLOUT)
        while self.pending and poll.poll(0):
            try:
                self.pending = self.pending[self.write(self.target, self.pending[:_WRITE_SIZE]) :]
            except BlockingIOError:
                return

    def poll(self, now: float) -> None:
        """Handle the unfinished line, if it is time."""
        if self.partial_at is not None and now >= self.partial_at:
            self.partial_at = None
            with self._logging_errors():
                self.listener.poll(self.lines.partial())

    def end(self) -> None:
        """Handle the lines that become final with the end."""
        with self._logging_errors():
            for line in self.lines.end():
                self.listener.handle(line)
            self.listener.poll(())

    @contextlib.contextmanager
    def _logging_errors(self) -> Iterator[None]:
        """Log an error of handling lines, the first one: without its thread the command could write no more."""
        try:
            yield
        except Exception:  # whatever the command printed, and whatever is wrong with us
            if not self.is_faulty:
                self.is_faulty = True
                _logger.exception("handling of output failed")


class OutputPump:
    """Forward output streams in one thread, so that lines reach the job in the order of their writes.

    A slow reader blocks its stream and thereby the command, as it would without this process, but neither the other
    stream nor the event loop, which keeps the lease alive.

    Attributes:
        error: Why a target could not be written; None if only its reader is gone.
    """

    def __init__(self, streams: Sequence[OutputStream]) -> None:
        """Start the thread, for the running loop."""
        self._streams = list(streams)
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        self._command_pipe, self._command_writer = os.pipe()
        # epoll returns streams in the order in which they became readable.
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._command_pipe, selectors.EVENT_READ)
        for stream in self._streams:
            self._selector.register(stream.source, selectors.EVENT_READ, stream)
        self._drain_until: float | None = None
        self._is_cut = False
        self.error: OSError | None = None
        # A daemon thread, so that a blocked terminal cannot keep this process alive.
        threading.Thread(target=self._run, name="output", daemon=True).start()

    def command_ended(self) -> None:
        """Forward the output so far completely, and that of background processes for a limited time."""
        os.write(self._command_writer, _COMMAND_ENDED)

    def cut(self) -> None:
        """Stop waiting for readers and writers."""
        os.write(self._command_writer, _CUT)

    @property
    def is_done(self) -> bool:
        """Whether forwarding is complete."""
        return self._done.is_set()

    async def finish(self, timeout: float | None) -> None:
        """Wait until forwarding is complete; give up after ``timeout`` seconds."""
        if not await completes(self._done.wait(), timeout):
            self.cut()
            await completes(self._done.wait(), _THREAD_STOP_TIMEOUT)

    def _run(self) -> None:
        try:
            while self._streams:
                self._step()
        finally:
            self._selector.close()
            # The loop may be closed already.
            with contextlib.suppress(RuntimeError):
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
                # Forward what is available without waiting.
                self._forward(stream)
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
        except OSError as error:
            # The command notices the closed stream itself, as without this process.
            if error.errno != errno.EPIPE:
                self.error = error
            self._close(stream)
            return
        if waited == bool(stream.pending):
            return
        # A stream is not read while its reader is slow.
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
        stream.end()
        if drained:
            drain(stream.source, stream.target)
        os.close(stream.source)


def _readable(descriptor: int) -> int:
    """Number of bytes available to read."""
    count = array.array("i", [0])
    with contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0]
