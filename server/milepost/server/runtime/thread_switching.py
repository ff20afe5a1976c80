"""How long a thread of Python waits for the others.

The event loop, the writer, the readers and the thread that hands on what happens in gRPC's core run Python in turns. A
thread that wants a turn waits for five milliseconds, by default, until the one that has it must give it up. A new call
takes a few turns of gRPC's thread before it is served, and a commit one for each statement, since SQLite runs without.
So while the loop is busy, acknowledgements and calls would wait for tens of milliseconds.
"""

from __future__ import annotations

import sys
from typing import Final

SWITCH_INTERVAL: Final = 0.0005
"""Seconds that a thread waits. A switch costs some 10 µs, so turns as short as this cost little."""


def shorten() -> None:
    """Have threads switch at this interval."""
    sys.setswitchinterval(SWITCH_INTERVAL)
