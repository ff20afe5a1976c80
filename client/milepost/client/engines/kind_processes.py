"""One process for each kind of job, so that a job that waits for its children takes no place from them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

__all__ = ["run_for_each"]

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run_for_each(kinds: Sequence[str], run: Callable[[str], None]) -> None:
    """Call ``run(kind)`` in a forked process for each kind, and wait for all of them.

    SIGTERM and SIGINT are passed on; if one process ends, the others are stopped. Nothing may have been started in this
    process that does not survive a fork.

    Raises:
        SystemExit: A process failed; with the status of the first one that did.
    """
    if len(kinds) == 1:
        run(kinds[0])
        return
    children: set[int] = set()
    stopping = False

    def stop(number: int, frame: FrameType | None = None) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            os.kill(child, number)

    # A signal in between waits until there is somebody to pass it on.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    for kind in kinds:
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            _run_and_exit(kind, run)
        children.add(child)
    for number in _SIGNALS:
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    failed = 0
    while children:
        # It is reaped after it has left the set: a signal in between must not go to a process id that is free again.
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        assert ended is not None  # without WNOHANG
        was_known = ended.si_pid in children
        children.discard(ended.si_pid)
        _, status = os.waitpid(ended.si_pid, 0)
        if not was_known:
            continue
        failed = failed or abs(os.waitstatus_to_exitcode(status))
        if not stopping:  # a second signal would end them at once, with their jobs
            stop(signal.SIGTERM)
    if failed:
        raise SystemExit(failed)


def _run_and_exit(kind: str, run: Callable[[str], None]) -> None:
    """Run in the child, and never return into the code of the parent."""
    status = 1
    try:
        run(kind)
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
