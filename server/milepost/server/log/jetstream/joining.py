"""How a node joins the stream: it finds or creates it, and decides whether its projection is one of this stream."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from milepost.server.log.jetstream import stream
from milepost.server.log.jetstream.nats_access import ConnectionLost, StreamLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.projection import Projection
from milepost.server.log.jetstream.records import name_in
from milepost.server.log.jetstream.stream import StreamIdentity, StreamMissing, StreamNames

_logger = structlog.get_logger("milepost.store")

# Backoff in seconds: while NATS does not answer, and while an operator has to restore the stream.
_RETRY_DELAY: Final = 0.2
_LOST_DELAY: Final = 2.0


async def join(
    connection: NatsConnection, names: StreamNames, replicas: int | None, projection: Projection
) -> tuple[StreamIdentity, int]:
    """Return the identity of the stream and its last sequence; wait without a time limit until there is one.

    A projection of another epoch is set aside (rule 4). Raises StreamRefused, StoreFailed.
    """
    last_error = ""
    while True:
        try:
            await stream.ensure_stream(connection, names, replicas)
            identity = await _resolve_identity(connection, names, projection)
            return identity, await stream.last_sequence(connection, names)
        except (
            ConnectionLost,
            StreamMissing,
        ) as error:  # a server may not know yet what another one has created
            if str(error) != last_error:
                last_error = str(error)
                _logger.info("stream not available yet", error=last_error)
            await asyncio.sleep(_RETRY_DELAY)
        except StreamLost as error:
            if str(error) != last_error:
                last_error = str(error)
                _logger.error("waiting for an operator", fault=last_error)
            await asyncio.sleep(_LOST_DELAY)
        await connection.wait_up()


async def _resolve_identity(
    connection: NatsConnection, names: StreamNames, projection: Projection
) -> StreamIdentity:
    found = await stream.identity(connection, names)
    is_same = projection.epoch == found.epoch
    if is_same and await _has_lost(connection, names, projection.applied, projection.applied_name):
        found = await stream.change_epoch(connection, names, found)
        _logger.warning("the stream lost messages that this node has seen; new epoch", epoch=found.epoch)
    if projection.epoch != found.epoch:
        projection.renew(found.epoch)
    return found


async def _has_lost(connection: NatsConnection, names: StreamNames, applied: int, name: bytes) -> bool:
    """Whether the stream lacks the message that the projection applied last, or has another one in its place."""
    if not applied:
        return False
    if await stream.has_lost(connection, names, applied):
        return True
    found = await stream.message_at(connection, names, sequence=applied)
    return found is not None and name_in(found[1]) != name
