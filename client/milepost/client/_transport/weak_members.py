"""The members of a set that other threads add to."""

from __future__ import annotations

import contextlib
from typing import TypeVar
from weakref import WeakSet

__all__ = ["members"]

_Member = TypeVar("_Member")


def members(objects: WeakSet[_Member]) -> tuple[_Member, ...]:
    """What the set has now. To copy it is to iterate over it, which fails where another thread adds to it meanwhile."""
    while True:
        with contextlib.suppress(RuntimeError):
            return tuple(objects)
