"""A pseudo-terminal for a command, as wide as the terminal that this process is on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
from typing import Final, Self

__all__ = ["PseudoTerminal"]

# Where this process is on no terminal: what programs handle for granted.
_DEFAULT_SIZE: Final = os.terminal_size((80, 24))


class PseudoTerminal:
    """A terminal whose other side is `master`.

    It changes nothing that is written to it: line ends stay as they are, since the terminal that this process is on
    adds carriage returns itself, and a file needs none. It does not echo.

    Attributes:
        master: File descriptor that the output is read from.
        name: Path of the terminal, which the command opens.
        columns: Width, in characters.
    """

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        self.name = os.ttyname(self._slave)
        attributes = termios.tcgetattr(self._slave)
        attributes[1] &= ~termios.OPOST
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        self.resize()

    def resize(self) -> None:
        """Gives it the size of this process's terminal; programs on it hear of that by SIGWINCH."""
        size = _size()
        self.columns = size.columns
        with contextlib.suppress(OSError):  # nobody is on it any more
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", size.lines, size.columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Lets go of the command's side, which the command has opened by now."""
        os.close(self._slave)


def _size() -> os.terminal_size:
    for descriptor in (1, 2, 0):
        try:
            size = os.get_terminal_size(descriptor)
        except OSError:
            continue
        if size.columns and size.lines:
            return size
    return _DEFAULT_SIZE
