"""The switch interval of Python's threads.

The event loop, the writer, the readers and gRPC's polling thread share the interpreter lock. By default a thread that
wants the lock waits for five milliseconds before the one that has it must give it up. A new call takes the lock a few
times before it is served, and a commit takes it after each statement, since SQLite releases it. So while the event loop
is busy, acknowledgements and calls would wait for tens of milliseconds.
"""

from __future__ import annotations

import sys
from typing import Final

SWITCH_INTERVAL: Final = 0.0005
"""Seconds that a thread waits for the lock. A switch costs some 10 µs, which is little beside this."""


def shorten() -> None:
    """Apply the interval to this process."""
    sys.setswitchinterval(SWITCH_INTERVAL)
