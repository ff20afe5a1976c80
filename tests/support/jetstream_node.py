"""A node's log in JetStream, within the test's own loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.stream import StreamNames

__all__ = ["node"]


@asynccontextmanager
async def node(directory: Path, url: str, names: StreamNames) -> AsyncIterator[JetStreamEventLog]:
    """A node on the stream, with an existing directory."""
    log = JetStreamEventLog(directory, NatsAccess((url,)), names)
    try:
        await log.start()
        yield log
    finally:
        await log.close()
