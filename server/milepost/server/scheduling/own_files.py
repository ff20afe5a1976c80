"""The server's own files: the event loop looks at these in every pass, whatever its connections bring."""

from __future__ import annotations

import asyncio
from typing import Protocol, runtime_checkable


@runtime_checkable
class OwnFiles(Protocol):
    """An event loop that looks at some of its connections in each pass, and at the server's own files in every one."""

    def own(self, fd: int) -> None:
        """Take a file that the loop waits for as one of the server's own, until it is closed."""


def own_socket(writer: asyncio.StreamWriter) -> None:
    """Take the socket of a connection that the server has opened itself as its own. With another loop, do nothing."""
    loop = asyncio.get_running_loop()
    found = writer.get_extra_info("socket")
    if isinstance(loop, OwnFiles) and found is not None and found.fileno() >= 0:
        loop.own(found.fileno())
