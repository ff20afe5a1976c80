"""Progress on for processes that a command leaves behind, so that none of them is killed by a closed pipe."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import sys
from typing import Final

__all__ = ["drain"]

# Reads stdin to its end; what cannot be written is thrown away. It imports nothing of ours, to start quickly and stay
# small.
_PROGRAM: Final = """
import os
while data := os.read(0, 65536):
    try:
        while data:
            data = data[os.write(1, data):]
    except OSError:
        pass
"""


def drain(source: int, target: int | None) -> None:
    """Has a process of its own read `source` until all who hold its other end have ended.

    What it reads goes on to `target` if that is a file or a terminal. A pipe is let go, since whoever reads it waits
    for its end; what comes then is thrown away.
    """
    if not sys.executable or _has_ended(source):
        return
    keeps = target is not None and (os.isatty(target) or stat.S_ISREG(os.fstat(target).st_mode))
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        with contextlib.suppress(OSError):  # without a process for it, it is as it would be without us
            os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", _PROGRAM],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, source, 0),
                    (os.POSIX_SPAWN_DUP2, target if keeps and target is not None else nowhere, 1),
                    (os.POSIX_SPAWN_DUP2, nowhere, 2),
                ],
                setsid=True,
                setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
            )
    finally:
        os.close(nowhere)


def _has_ended(source: int) -> bool:
    """Whether nobody holds the other end any more."""
    poll = select.poll()
    poll.register(source, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
