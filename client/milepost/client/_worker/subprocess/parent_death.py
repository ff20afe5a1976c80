"""Not to outlive one's worker."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sys

__all__ = ["die_with", "kill_group"]


def die_with(lifeline: int) -> None:
    """Has the kernel kill this process and its group when the other end of the pipe closes.

    It needs nobody here to notice: a handler that never lets go of the interpreter, or is stopped, dies as well. Where
    the system cannot do that, it is left to whoever listens to the worker.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
            fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([lifeline], [], [], 0)[0]:  # it was closed before
            kill_group()


def kill_group() -> None:
    """Kills this process and all that it has started, if they have not left its group."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
