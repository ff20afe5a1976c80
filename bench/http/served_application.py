"""Serve an ASGI application in a child process, as long as the parent keeps the pipe open."""

from __future__ import annotations

import asyncio
import socket
from multiprocessing.connection import Connection
from typing import Any, Final

import uvicorn

__all__ = ["serve_until_closed"]

_BACKLOG: Final = 1000
"""Connections that may wait to be accepted: the subscribers of a round connect all at once."""


async def serve_until_closed(pipe: Connection, application: Any) -> None:
    """Serve on a free loopback port, and send that to the parent; return once the parent has closed the pipe."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    config = uvicorn.Config(application, lifespan="off", log_level="error", access_log=False)
    serving = asyncio.create_task(uvicorn.Server(config).serve([listening]))
    pipe.send(listening.getsockname()[1])
    await asyncio.to_thread(_wait_for_end, pipe)
    serving.cancel()


def _wait_for_end(pipe: Connection) -> None:
    try:
        pipe.recv()
    except (EOFError, OSError):
        return
