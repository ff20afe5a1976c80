"""Ends what this process has started, however this process ends.

A test's ``with`` ends its servers; but a process that is killed, or ends itself after a time-out, leaves its ``with``
without a word. A second process waits for its end, and then kills what was not reported as gone.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from typing import Final

__all__ = ["forget", "reap_later"]

# It reads "+pid" and "-pid" until there are no more to come, since whoever wrote is gone.
_REAPER: Final = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
pids = []
for line in sys.stdin:
    if line[0] == "+":
        pids.append(int(line[1:]))
    else:
        pids.remove(int(line[1:]))
for pid in pids:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""

_reapers: dict[int, subprocess.Popen[bytes]] = {}


def reap_later(pid: int) -> None:
    """The process is killed once this one has ended."""
    _write(f"+{pid}\n")


def forget(pid: int) -> None:
    """The process is gone, and its number may be another's."""
    _write(f"-{pid}\n")


def _write(line: str) -> None:
    own = os.getpid()  # a fork has another one
    reaper = _reapers.get(own)
    if reaper is None:
        command = [sys.executable, "-c", _REAPER]
        reaper = _reapers[own] = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        atexit.register(reaper.communicate)
    assert reaper.stdin is not None
    reaper.stdin.write(line.encode())
    reaper.stdin.flush()
