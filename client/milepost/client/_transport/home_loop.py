"""The event loop that an object belongs to, which ends what the object has."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Final

__all__ = ["HomeLoop"]


class HomeLoop:
    """The running loop, for whoever has to end later what belongs to it: a finalizer, or the child of a fork.

    Garbage is found in any thread, also in that of the loop, and between any two steps of code that may hold a lock. So
    a finalizer waits for nothing, takes no lock, and leaves what belongs to the loop to the loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._process_id = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether the caller runs in this loop, and may end by itself what belongs to it."""
        with contextlib.suppress(RuntimeError):  # it runs in none
            return asyncio.get_running_loop() is self._loop and self._process_id == os.getpid()
        return False

    def hand_over(self, end: Callable[[], object]) -> None:
        """Have the loop call `end`, unless it is closed.

        In a forked process nobody calls it: the loop and what it has are the parent's. They are kept, since gRPC's
        objects would end their calls at the server as they go.
        """
        if self._process_id != os.getpid():
            _inherited.append(end)
            return
        with contextlib.suppress(RuntimeError):  # it is closed
            self._loop.call_soon_threadsafe(end)


_inherited: Final[list[Callable[[], object]]] = []
