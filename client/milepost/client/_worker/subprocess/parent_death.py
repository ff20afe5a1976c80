"""Kills the process group of a handler when its worker dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sys

__all__ = ["die_with_parent", "kill_group"]


def die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process group when the other end of the pipe closes.

    This works even if the handler never releases the interpreter, or is stopped. On a system that cannot do it, the
    thread that listens to the worker kills the group.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
            fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([lifeline], [], [], 0)[0]:  # it was closed already
            kill_group()


def kill_group() -> None:
    """Kill this process and its group."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
