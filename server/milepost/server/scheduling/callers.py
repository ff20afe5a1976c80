"""Fair turns among callers, so that the load of one slows down only its own calls.

A caller is known by its key (see ``access.current_principal.caller_of``).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from contextvars import ContextVar
from typing import Final, Generic, TypeVar

SERVER: Final = ""
"""The key of the server's own work, which takes its turn among those of the callers."""

_SERVED: ContextVar[str] = ContextVar("served", default=SERVER)

_Item = TypeVar("_Item")


def set_served_caller(caller: str) -> None:
    """Set whose call this task serves."""
    _SERVED.set(caller)


def served_caller() -> str:
    """The key of the caller whose call this task serves, or has come from; ``SERVER`` if there is none."""
    return _SERVED.get()


def host_of(peer: str) -> str:
    """Return the host of what gRPC names ``peer``. A Unix socket has none: all of its peers count as one host."""
    return peer.rpartition(":")[0]


class Turns(Generic[_Item]):
    """A queue in which callers take turns: each item of a caller waits for at most one item of every other caller.

    Items of one caller come in the order of ``put``. All operations take constant time.

    Attributes:
        size: The number of items. To read it takes no call, unlike ``len``, which matters where it is 0 nearly always.
    """

    def __init__(self) -> None:
        self._queues: OrderedDict[str, deque[_Item]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return self.size

    def put(self, caller: str, item: _Item) -> None:
        """Add an item of this caller."""
        queue = self._queues.get(caller)
        if queue is None:
            queue = self._queues[caller] = deque()
        queue.append(item)
        self.size += 1

    def peek(self) -> _Item:
        """Return the item whose turn it is. Raises IndexError if there is none."""
        if not self.size:
            raise IndexError("no item waits")
        return next(iter(self._queues.values()))[0]

    def take(self) -> _Item:
        """Remove and return the item whose turn it is. Raises IndexError if there is none."""
        if not self.size:
            raise IndexError("no item waits")
        caller = next(iter(self._queues))
        queue = self._queues[caller]
        item = queue.popleft()
        self.size -= 1
        if queue:
            self._queues.move_to_end(caller)
        else:
            del self._queues[caller]
        return item
