"""Run a worker of the SDK within a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from milepost.client import Worker
from milepost.client._worker.handlers import Handler


@asynccontextmanager
async def working(address: str, **options: Handler | int | float) -> AsyncIterator[Worker]:
    """Run a worker with handlers by kind; numbers are options of the worker. Stop it at the end.

    With several nodes it connects to another one than clients, which connect to the first.
    """
    handlers = {name: option for name, option in options.items() if not isinstance(option, int | float)}
    settings = {name: option for name, option in options.items() if isinstance(option, int | float)}
    *scheme, nodes = address.rpartition("ipv4:")
    first, *others = nodes.split(",")
    worker = Worker(
        "".join(scheme) + ",".join([*others, first]),
        max_concurrency=int(settings.get("max_concurrency", 1)),
        drain_timeout=settings.get("drain_timeout", 0.0),
    )
    for kind, handler in handlers.items():
        worker.job(kind)(handler)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running
