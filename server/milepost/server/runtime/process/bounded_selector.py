"""A selector that returns some of the ready files at a time: thousands of connections may bring something at once.

asyncio handles all that its selector returns in one pass of the event loop. 3,000 clients of HTTP that leave together
are 3,000 ready sockets: a pass reads of them all, the next one closes them, and another one ends their calls. Here each
pass gets a bounded number of them. The kernel takes ready files in rotation, so each comes to its turn.

The server's own files, such as the socket by which gRPC wakes the loop, are looked at in every pass. They stay its own
when asyncio leaves them for a while, as it does with a listener while the process has no file left for a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import selectors
import sys
from typing import Any, Final, TypeAlias

READY_LIMIT: Final = 64
"""Ready connections of a pass. To read of one and to go on with what that brings takes some 0.1 ms."""

# Who is interested in an event of epoll. An error, or the end of a connection, is for reader and writer.
_BOTH: Final = selectors.EVENT_READ | selectors.EVENT_WRITE
_INTERESTED: Final = (
    {select.EPOLLIN: selectors.EVENT_READ, select.EPOLLOUT: selectors.EVENT_WRITE}
    if sys.platform == "linux"
    else {}
)

_Ready: TypeAlias = list[tuple[selectors.SelectorKey, int]]


class BoundedSelector(selectors.DefaultSelector):
    """Returns at most ``READY_LIMIT`` ready files, and of the server's own all. Without epoll it returns all."""

    def __init__(self) -> None:
        super().__init__()
        # By file descriptor. The map of the base class looks each one up in five calls.
        self._registered: dict[int, selectors.SelectorKey] = {}
        self._own_fds: set[int] = set()
        # Own files that were unregistered, with their identity: once they are closed, others get their numbers.
        self._left: dict[int, tuple[int, int]] = {}
        if sys.platform == "linux":
            self._own = select.epoll()
            # The same as that of the base class, which asks it for as many as are registered.
            self._all = select.epoll.fromfd(os.dup(self.fileno()))

    def own_registered(self) -> None:
        """Take the files that are registered now for the server's own."""
        for key in list(self._registered.values()):
            self.own(key.fd)

    def own(self, fd: int) -> None:
        """Take an open file for one of the server's own, from when it is registered."""
        if sys.platform != "linux" or fd in self._own_fds:
            return
        if fd in self._registered:
            self._own.register(fd, select.EPOLLIN)
            self._own_fds.add(fd)
        else:
            self._left[fd] = _identity(fd)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """See ``selectors.BaseSelector``."""
        key = super().register(fileobj, events, data)
        self._registered[key.fd] = key
        if key.fd in self._left and self._left.pop(key.fd) == _identity(key.fd):
            self.own(key.fd)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """See ``selectors.BaseSelector``."""
        key = super().unregister(fileobj)
        self._registered.pop(key.fd, None)
        if key.fd in self._own_fds:
            self._own_fds.discard(key.fd)
            with contextlib.suppress(OSError):  # it is closed already
                self._own.unregister(key.fd)
                self._left[key.fd] = _identity(key.fd)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """See ``selectors.BaseSelector``."""
        try:
            key = super().modify(fileobj, events, data)
        except Exception:  # the base class has dropped the file
            self._registered = {key.fd: key for key in self.get_map().values()}
            raise
        self._registered[key.fd] = key
        return key

    def select(self, timeout: float | None = None) -> _Ready:
        """See ``selectors.BaseSelector``."""
        if sys.platform != "linux":
            return super().select(timeout)
        if timeout and timeout < 0:
            timeout = 0.0
        # Python rounds up to milliseconds, so that it does wait.
        events = self._all.poll(timeout, READY_LIMIT)
        if len(events) == READY_LIMIT:
            events = list({**dict(self._own.poll(0)), **dict(events)}.items())
        ready = []
        for fd, event in events:
            key = self._registered.get(fd)
            if key is not None:
                ready.append((key, key.events & _INTERESTED.get(event, _BOTH)))
        return ready

    def close(self) -> None:
        """See ``selectors.BaseSelector``."""
        if sys.platform == "linux":
            self._own.close()
            self._all.close()
        self._registered.clear()
        super().close()


class BoundedEventLoop(asyncio.SelectorEventLoop):
    """An event loop with such a selector; see ``scheduling.own_files``."""

    def __init__(self, selector: BoundedSelector) -> None:
        super().__init__(selector)
        self._bounded = selector

    def own(self, fd: int) -> None:
        """See ``OwnFiles``."""
        self._bounded.own(fd)


def _identity(fd: int) -> tuple[int, int]:
    """What tells an open file from a later one with its number."""
    found = os.fstat(fd)
    return found.st_dev, found.st_ino
