"""Serve an ASGI application over real sockets, in the event loop of a test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from tests.support.rotating import until


@asynccontextmanager
async def serving(app: ASGIApp, **options: Any) -> AsyncIterator[str]:
    """Serve the application on a free loopback port; yield its URL. At the end open connections are reset.

    ``options`` are those of ``uvicorn.Config``.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=0,
        ws="none",
        lifespan="off",
        **options,
    )
    config.load()
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve([listening]))
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await running
        # uvicorn leaves open those with a response that it was sending.
        connections: set[Any] = server.server_state.connections
        for connection in connections:
            connection.transport.abort()
        await until(lambda: not connections)
