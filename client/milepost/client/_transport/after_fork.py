"""What objects of the SDK do in a forked child, which inherits them without the threads that use them.

Those threads may have held locks at the fork, and hold them for good in the child. `fork_safety` cares for gRPC.
"""

from __future__ import annotations

import os
import weakref
from typing import Final, Protocol

__all__ = ["Inherited", "register"]


class Inherited(Protocol):
    """An object that a child may inherit."""

    def after_fork(self) -> None:
        """Called in the child. Makes what hangs without the parent's threads work, do nothing, or raise a clear error.

        It must take no lock, wait for nothing, and leave alone what parent and child share, such as sockets.
        """


_inherited: Final[weakref.WeakSet[Inherited]] = weakref.WeakSet()


def register(inherited: Inherited) -> None:
    """Call `after_fork` of this object in each forked child."""
    _inherited.add(inherited)


def _after_fork_in_child() -> None:
    for inherited in tuple(_inherited):
        inherited.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)
