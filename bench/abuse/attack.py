"""What the modules of attacks provide."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple

__all__ = ["Attack"]


class Attack(NamedTuple):
    """One way to misbehave.

    Attributes:
        run: Called with the server's address and the number of seconds to attack; it runs in a process of its own. Its
            first step prepares (connections, jobs, logs), its second attacks for about that long. What it has opened
            stays open until the generator is closed.
        processes: How many processes run it at the same time.
    """

    run: Callable[[str, float], AsyncGenerator[None]]
    processes: int = 1
