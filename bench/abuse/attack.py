"""What the modules of attacks provide."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import NamedTuple

__all__ = ["Attack"]


class Attack(NamedTuple):
    """One way to misbehave.

    Attributes:
        run: Called with the server's address and the number of seconds to attack; it runs in a process of its own. Its
            first step prepares (connections, jobs, logs), its second attacks for about that long. What it has opened
            stays open until the generator is closed.
        processes: How many processes run it at the same time.
        limits: Of the principal that attacks, as token files have them. With limits the server knows two principals,
            the user and the attacker, and ``run`` gets the attacker's token besides.
        http: Whether it attacks the server's HTTP: ``run`` gets its URL in place of the address.
    """

    run: Callable[..., AsyncGenerator[None]]
    processes: int = 1
    limits: Sequence[str] = ()
    http: bool = False
