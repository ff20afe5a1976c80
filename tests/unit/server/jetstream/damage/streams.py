"""A node on a stream, and what outside hands do to that stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from nats.js import JetStreamContext

from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.stream import StreamNames
from tests.support.nats import NatsServer

Node = Callable[..., Any]
Harm = Callable[[JetStreamContext, StreamNames], Awaitable[object]]


def made(
    directory: Path, server: NatsServer, names: StreamNames, states: list[bool] | None = None
) -> JetStreamEventLog:
    """Create a node without starting it."""
    directory.mkdir(exist_ok=True)
    on_state = (lambda up: None) if states is None else states.append
    return JetStreamEventLog(directory, NatsAccess((server.url,)), names, on_state=on_state)


async def purge(jetstream: JetStreamContext, names: StreamNames) -> None:
    """Purge the stream."""
    await jetstream.purge_stream(names.stream)


async def purge_identity(jetstream: JetStreamContext, names: StreamNames) -> None:
    """Delete only the message with the epoch."""
    await jetstream.purge_stream(names.stream, subject=names.meta)


async def delete(jetstream: JetStreamContext, names: StreamNames) -> None:
    """Delete the stream."""
    await jetstream.delete_stream(names.stream)


async def expire(jetstream: JetStreamContext, names: StreamNames) -> None:
    """Make messages expire after a day."""
    await change(jetstream, names, max_age=86_400)


async def change(jetstream: JetStreamContext, names: StreamNames, **settings: Any) -> None:
    """Change settings of the stream."""
    config = (await jetstream.stream_info(names.stream)).config
    await jetstream.update_stream(config.evolve(**settings))


async def is_up(log: JetStreamEventLog, *, up: bool = True) -> bool:
    """Whether the node can write, or, with ``up`` False, whether it cannot."""
    return log.up == up


def faults(said: list[structlog.typing.EventDict]) -> list[str]:
    """The logged errors."""
    return [line["fault"] for line in said if line["log_level"] == "error" and "fault" in line]
