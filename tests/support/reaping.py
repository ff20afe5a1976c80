"""Kill the children of this process, however this process ends.

A ``with`` ends the servers of a test or a measurement, but not if its process is killed or times out. A second process
waits for the end of this one, and then kills the children that are left.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from typing import Final

__all__ = ["forget", "reap_later"]

# It reads "+pid" and "-pid" until its stdin closes, when the writing process has ended.
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
    """Have the process killed once this one has ended."""
    _write(f"+{pid}\n")


def forget(pid: int) -> None:
    """Do not kill the process: it has ended, and its id may be reused."""
    _write(f"-{pid}\n")


def _write(line: str) -> None:
    own = os.getpid()  # differs in a fork
    reaper = _reapers.get(own)
    if reaper is None:
        command = [sys.executable, "-c", _REAPER]
        reaper = _reapers[own] = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        atexit.register(reaper.communicate)
    assert reaper.stdin is not None
    reaper.stdin.write(line.encode())
    reaper.stdin.flush()
