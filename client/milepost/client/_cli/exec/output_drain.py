"""Keep reading the output of processes that outlive their command, so that SIGPIPE does not kill them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import sys
from typing import Final

__all__ = ["drain"]

# Copy stdin to stdout until its end, and discard what cannot be written. No imports of ours, to start fast and stay
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
    """Start a process that reads `source` until all writers have ended.

    It forwards to `target` if that is a file or a terminal. It does not hold a pipe open, whose reader waits for the
    end; output for a pipe is discarded.
    """
    if not sys.executable or _has_ended(source):
        return
    keeps = target is not None and (os.isatty(target) or stat.S_ISREG(os.fstat(target).st_mode))
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        # If that fails, the writers get SIGPIPE, as without this process.
        with contextlib.suppress(OSError):
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
    """Whether all writers have closed their end."""
    poll = select.poll()
    poll.register(source, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
