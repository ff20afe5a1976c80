"""From the bytes that a command writes to lines, as a terminal would show them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from milepost.contract.limits import LOG_TEXT_SIZE

__all__ = ["Line", "Lines"]

_ENDS: Final = re.compile(rb"([\r\n])")
# Of one line; the rest is left out. Less than a log event takes, for the mark that says so.
_SIZE: Final = LOG_TEXT_SIZE - 64


@dataclass(frozen=True, slots=True)
class Line:
    """What was written up to the end of a line, or up to where the line was begun again.

    Attributes:
        text: Without its end. What is over 64 KiB is cut, and says so.
        stays: Whether it is still there when the next line begins; otherwise it was overwritten, as progress bars do
            with a carriage return.
    """

    text: str
    stays: bool


class Lines:
    """Cuts a stream into lines, wherever it was divided on its way."""

    def __init__(self) -> None:
        self._part = bytearray()
        self._left_out = 0
        self._overwritten = ""

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that have come to their end with this."""
        for piece in _ENDS.split(data):
            if piece == b"\n":
                yield self._end()
            elif piece == b"\r":
                if self._part:
                    self._overwritten = self._take()
                    yield Line(self._overwritten, stays=False)
            else:
                room = _SIZE - len(self._part)
                self._part += piece[:room]
                self._left_out += max(len(piece) - room, 0)

    def end(self) -> Iterator[Line]:
        """The last line, where the stream has ended without its end."""
        if self._part or self._overwritten:
            yield self._end()

    def _end(self) -> Line:
        # After a carriage return at its end the line still stands there.
        text = self._take() if self._part else self._overwritten
        self._overwritten = ""
        return Line(text, stays=True)

    def _take(self) -> str:
        text = self._part.decode(errors="replace")
        if self._left_out:
            text += f"… [clipped {self._left_out} bytes]"
        self._part.clear()
        self._left_out = 0
        return text
