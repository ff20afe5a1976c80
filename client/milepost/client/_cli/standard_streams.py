"""stdin, stdout and stderr of the command, whether inherited closed, full or non-blocking."""

from __future__ import annotations

import io
import os
import select
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TextIO

from milepost.contract.printable import escape

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["OutputFailed", "ReaderGone", "forwarder", "prepare", "write_stderr", "write_stdout"]

_LOST_TEXT_LIMIT: Final = 200
_NEWLINE: Final = ord("\n")


class OutputFailed(OSError):
    """stdout cannot be written; the message says why and which output was lost."""


class ReaderGone(BrokenPipeError):
    """stdout or stderr is a pipe whose reader is gone."""


class _ForwardedLine:
    """The line that a command's output is on, in a file where this process writes lines of its own."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._is_unfinished = False

    def forward(self, descriptor: int, data: memoryview) -> int:
        """Write output of the command as `os.write` does."""
        with self.lock:
            written = os.write(descriptor, data)
            if written:
                self._is_unfinished = data[written - 1] != _NEWLINE
            return written

    def end(self) -> bytes:
        """Return what ends the line, so that the next one is whole; under the lock."""
        is_unfinished, self._is_unfinished = self._is_unfinished, False
        return b"\n" if is_unfinished else b""


class _RawInput(io.RawIOBase):
    """Read from a file descriptor; wait for data even if it is non-blocking."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        while True:
            try:
                data = os.read(self._descriptor, len(view))
            except BlockingIOError:
                select.select((self._descriptor,), (), ())
            else:
                view[: len(data)] = data
                return len(data)


class _RawOutput(io.RawIOBase):
    """Write to a file descriptor; wait even if it is non-blocking.

    The first error is raised and later output discarded, since the flush at the end of the process must not fail again.
    Errors of stderr are never raised: there is nowhere to report them.

    Attributes:
        forwarded: The line that a command's output is on, where such output is written here, too.
        reader_gone: Whether it is a pipe whose reader is gone.
    """

    def __init__(self, descriptor: int, *, silent: bool) -> None:
        self._descriptor = descriptor
        self._silent = silent
        self._failed = False
        self.forwarded = _ForwardedLine()
        self.reader_gone = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: ReadableBuffer, /) -> int:
        size = len(memoryview(data).cast("B"))
        with self.forwarded.lock:
            rest = memoryview(self.forwarded.end() + data)
            while rest and not self._failed:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except BlockingIOError:
                    select.select((), (self._descriptor,), ())
                except OSError as error:
                    self._fail(error, bytes(rest))
        return size

    def _fail(self, error: OSError, lost: bytes) -> None:
        self._failed = True
        self.reader_gone = isinstance(error, BrokenPipeError)
        if self._silent:
            return
        if self.reader_gone:
            raise ReaderGone from error
        first = escape(lost.decode(errors="replace").strip().partition("\n")[0])
        shown = first if len(first) <= _LOST_TEXT_LIMIT else f"{first[:_LOST_TEXT_LIMIT]}…"
        note = f" Lost: {shown}" if shown else ""
        raise OutputFailed(f"stdout cannot be written ({error.strerror}).{note}") from error


def prepare() -> None:
    """Replace ``sys.stdin``, ``stdout`` and ``stderr`` by streams that work with any file descriptor.

    A closed descriptor is occupied, so that no other file or connection gets its number and output meant for it;
    reading and writing it still fails.
    """
    for descriptor, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        if _is_closed(descriptor):
            os.open(os.devnull, mode)
    stdin, stdout, stderr = _RawInput(0), _RawOutput(1, silent=False), _RawOutput(2, silent=True)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(stdin), _encoding(sys.stdin))
    # Characters that the encoding lacks are replaced instead of raising an error.
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(stdout), _encoding(sys.stdout), "replace", line_buffering=stdout.isatty()
    )
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(stderr), _encoding(sys.stderr), "replace", line_buffering=True
    )


def forwarder(stream: TextIO) -> Callable[[int, memoryview], int]:
    """Return what writes a command's output to the file of ``stream``: `os.write`, or the same with a side effect.

    Where stderr is that file, for example the same terminal, lines that this process writes to stderr do not continue
    a line of the command: they begin on the next one.
    """
    raw = _raw(sys.stderr)
    if raw is None or not os.path.sameopenfile(stream.fileno(), raw.fileno()):
        return os.write
    return raw.forwarded.forward


def write_stdout(line: str) -> None:
    """Write a line to stdout, with control characters escaped.

    Raises:
        ReaderGone: The reader of the pipe is gone.
        OutputFailed: stdout cannot be written.
    """
    sys.stdout.write(f"{escape(line)}\n")
    sys.stdout.flush()


def write_stderr(line: str) -> None:
    """Write a line to stderr, with control characters escaped.

    Raises:
        ReaderGone: The reader of the pipe is gone.
    """
    sys.stderr.write(f"{escape(line)}\n")
    sys.stderr.flush()
    raw = _raw(sys.stderr)
    if raw is not None and raw.reader_gone:
        raise ReaderGone


def _raw(stream: TextIO) -> _RawOutput | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, _RawOutput) else None


def _encoding(stream: TextIO | None) -> str:
    return "utf-8" if stream is None else stream.encoding


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False
