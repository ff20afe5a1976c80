"""stdin, stdout and stderr of the command, however they were handed to it: closed, full, or non-blocking."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, Final, TextIO

from milepost.contract.printable import escape

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["OutputFailed", "ReaderGone", "prepare", "write_stderr", "write_stdout"]

_LOST_TEXT_LIMIT: Final = 200


class OutputFailed(OSError):
    """stdout cannot be written to; the message says why, and what was lost."""


class ReaderGone(BrokenPipeError):
    """Nobody reads the pipe any more that stdout or stderr is."""


class _RawInput(io.RawIOBase):
    """A file descriptor to read from. Where it does not block, reading waits all the same."""

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
    """A file descriptor to write to. Where it does not block, writing waits all the same.

    An error is raised once, and what comes after it goes nowhere: a buffer that is flushed again at the end of the
    process must not fail again. stderr fails silently, since there is nowhere to say so.

    Attributes:
        reader_gone: Whether it is a pipe that nobody reads any more.
    """

    def __init__(self, descriptor: int, *, silent: bool) -> None:
        self._descriptor = descriptor
        self._silent = silent
        self._failed = False
        self.reader_gone = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: ReadableBuffer, /) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
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
        said = f" It would have said: {shown}" if shown else ""
        raise OutputFailed(f"stdout cannot be written to ({error.strerror}).{said}") from error


def prepare() -> None:
    """Makes ``sys.stdin``, ``stdout`` and ``stderr`` work for this process, whatever they are.

    One that is closed is occupied, so that no file or connection gets its number, and what others write there; reading
    or writing it fails as it would on a closed one.
    """
    for descriptor, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        if _is_closed(descriptor):
            os.open(os.devnull, mode)
    stdin, stdout, stderr = _RawInput(0), _RawOutput(1, silent=False), _RawOutput(2, silent=True)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(stdin), _encoding(sys.stdin))
    # A character that a terminal lacks is no reason to fail.
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(stdout), _encoding(sys.stdout), "replace", line_buffering=stdout.isatty()
    )
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(stderr), _encoding(sys.stderr), "replace", line_buffering=True
    )


def write_stdout(line: str) -> None:
    """Writes a line to stdout, as nothing that a terminal obeys.

    Raises:
        ReaderGone: Nobody reads it any more.
        OutputFailed: It cannot be written.
    """
    sys.stdout.write(f"{escape(line)}\n")
    sys.stdout.flush()


def write_stderr(line: str) -> None:
    """Writes a line to stderr, as nothing that a terminal obeys.

    Raises:
        ReaderGone: Nobody reads it any more.
    """
    sys.stderr.write(f"{escape(line)}\n")
    sys.stderr.flush()
    raw = getattr(getattr(sys.stderr, "buffer", None), "raw", None)
    if isinstance(raw, _RawOutput) and raw.reader_gone:
        raise ReaderGone


def _encoding(stream: TextIO | None) -> str:
    return "utf-8" if stream is None else stream.encoding


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False
