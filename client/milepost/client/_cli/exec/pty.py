"""A pseudo-terminal for a command, with the size of this process's terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
from typing import Final, Self

__all__ = ["PseudoTerminal"]

# The size that programs assume, if this process has no terminal.
_DEFAULT_SIZE: Final = os.terminal_size((80, 24))


class PseudoTerminal:
    """A pseudo-terminal without output processing and echo.

    Line ends stay as written: this process's own terminal adds carriage returns, and a file needs none.

    Attributes:
        master: File descriptor to read the output from.
        name: Path of the terminal for the command to open.
        columns: Width in characters.
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
        """Adopt the size of this process's terminal; programs on the pseudo-terminal get SIGWINCH."""
        size = _size()
        self.columns = size.columns
        # Fails once the command's side is closed.
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", size.lines, size.columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close this process's handle of the command's side, which the command has opened by now."""
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
