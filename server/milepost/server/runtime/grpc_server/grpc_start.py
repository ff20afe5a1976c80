"""Start a server of grpc.aio, in a task that may be cancelled at any time."""

from __future__ import annotations

import asyncio

import grpc.aio

from milepost.server.runtime.uncancelled import finish


async def start_grpc(server: grpc.aio.Server) -> None:
    """Start the server; where this is cancelled, however often, return only once it has started.

    It starts in a task of its own, which resolves the future that ``start`` waits for: if that was cancelled, the task
    fails with InvalidStateError, whose traceback is logged.
    """
    await finish(asyncio.ensure_future(server.start()))
