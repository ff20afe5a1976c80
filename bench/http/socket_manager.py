"""The peer: a FastAPI application with a plain WebSocket manager, as many applications have written it.

Each job has its subscribers and a buffer of its last events, which whoever connects gets first. Nothing is durable,
resumed or filtered; a subscriber that does not read stalls all others. It gets events over a WebSocket, too, the
cheapest way that it has.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from bench.http.served_application import serve_until_closed
from bench.processes import Server, child

__all__ = ["socket_manager"]

_KEPT: Final = 200_000
"""Events that the buffer keeps; such managers often keep fifty."""


class _Manager:
    """Subscribers and events by job; ``commit`` makes an event durable before it is sent."""

    def __init__(self, commit: Callable[[Any], None] | None) -> None:
        self._commit = commit
        self._connections: defaultdict[str, list[WebSocket]] = defaultdict(list)
        self._history: defaultdict[str, deque[Any]] = defaultdict(lambda: deque(maxlen=_KEPT))

    async def connect(self, job_id: str, websocket: WebSocket) -> None:
        await websocket.accept()
        for event in self._history[job_id]:
            await websocket.send_json(event)
        self._connections[job_id].append(websocket)

    def disconnect(self, job_id: str, websocket: WebSocket) -> None:
        self._connections[job_id].remove(websocket)

    async def broadcast(self, job_id: str, event: Any) -> None:
        if self._commit is not None:
            await asyncio.to_thread(self._commit, event)
        self._history[job_id].append(event)
        for connection in self._connections[job_id]:
            await connection.send_json(event)


def _application(database: Path | None) -> FastAPI:
    app = FastAPI()
    manager = _Manager(None if database is None else _committing(database))

    @app.websocket("/jobs/{job_id}")
    async def subscribe(websocket: WebSocket, job_id: str) -> None:
        await manager.connect(job_id, websocket)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            manager.disconnect(job_id, websocket)

    @app.websocket("/jobs/{job_id}/report")
    async def report(websocket: WebSocket, job_id: str) -> None:
        await websocket.accept()
        async for event in websocket.iter_json():
            await manager.broadcast(job_id, event)

    return app


def _committing(database: Path) -> Callable[[Any], None]:
    """Commits an event to a database as durably as Milepost's log."""
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE events (event TEXT)")

    def commit(event: Any) -> None:
        connection.execute("INSERT INTO events VALUES (?)", (json.dumps(event),))

    return commit


@contextmanager
def socket_manager(database: Path | None = None) -> Iterator[Server]:
    """Run the application in a child process, on a free loopback port; with a database it commits each event first."""
    with child(_serve, database) as (pid, pipe):
        port = pipe.recv()
        yield Server(f"127.0.0.1:{port}", pid, f"http://127.0.0.1:{port}")


def _serve(pipe: Connection, database: Path | None) -> None:
    asyncio.run(serve_until_closed(pipe, _application(database)))
