"""One process for each kind of job, so that a job that waits for its children takes no place from them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Final

__all__ = ["run_for_each"]

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
# Exit status of a process whose last output cannot be written, as Python has it.
_OUTPUT_LOST: Final = 120


def run_for_each(kinds: Sequence[str], run: Callable[[str], None]) -> None:
    """Call ``run(kind)`` in a forked process for each kind, and wait for all of them.

    SIGTERM and SIGINT are passed on, unless a terminal has sent them to all; if one process ends, the others are
    stopped. Nothing may have been started in this process that does not survive a fork.

    Raises:
        SystemExit: A process failed; with the status of the first one that did.
        OSError: One could not be started; the others have ended.
    """
    if len(kinds) == 1:
        run(kinds[0])
        return
    # They stay blocked and `sigwait` takes them: a handler of Python's would have to wait for the end of a system call
    # that had begun just before, such as one that waits for a child.
    watched = {*_SIGNALS, signal.SIGCHLD}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    try:
        children = _fork_each(kinds, run, mask)
        # POSIX lets a system drop a signal that is ignored, as SIGCHLD is by default, even while it is blocked.
        on_child = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        try:
            failed = _wait_for(children, watched)
            while signal.sigpending() & watched:  # discard signals that came too late to be passed on
                signal.sigwait(watched)
        finally:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL if on_child is None else on_child)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if failed:
        raise SystemExit(failed)


def _fork_each(kinds: Sequence[str], run: Callable[[str], None], mask: set[int | signal.Signals]) -> set[int]:
    """The processes, which have this mask of signals. If one cannot be forked, the others are ended, too."""
    children: set[int] = set()
    try:
        for kind in kinds:
            child = os.fork()
            if child == 0:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                _run_and_exit(kind, run)
            children.add(child)
    except OSError:
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)
        raise
    return children


def _wait_for(children: set[int], watched: set[signal.Signals]) -> int:
    """Wait until all have ended, and pass signals on; the status of the first one that failed, or 0."""
    failed = 0
    is_stopping = False
    while children:
        ended = _reap(children)
        failed = failed or next(filter(None, ended), 0)
        if ended and not is_stopping:  # a second signal would end them at once, with their jobs
            number = signal.SIGTERM
        elif not children:
            break
        else:
            number, has_reached_all = _next_signal(watched)
            if number == signal.SIGCHLD:
                continue
            if has_reached_all:
                is_stopping = True
                continue
        is_stopping = True
        for child in children:
            os.kill(child, number)
    return failed


def _next_signal(watched: set[signal.Signals]) -> tuple[signal.Signals, bool]:
    """The next signal, and whether all processes have it: a terminal sends its Ctrl-C to each of them."""
    if not hasattr(signal, "sigwaitinfo"):  # macOS does not report the sender of a signal
        return signal.Signals(signal.sigwait(watched)), False
    received = signal.sigwaitinfo(watched)
    number = signal.Signals(received.si_signo)
    return number, number == signal.SIGINT and received.si_code > 0  # the kernel's, and no process's


def _reap(children: set[int]) -> list[int]:
    """Take those that have ended out of the set; their exit statuses, of a signal its number."""
    ended = []
    for child in tuple(children):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            children.remove(child)
            ended.append(abs(os.waitstatus_to_exitcode(status)))
    return ended


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
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):  # it cannot be written, or is closed
            status = status or _OUTPUT_LOST
        finally:
            os._exit(status)
