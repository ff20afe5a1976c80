"""A bridge from channels of Redis to jobs, run by a test, and what it made of their messages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from milepost.client import Client, JobSnapshot
from milepost.client._bridge.inbound_bridge import InboundBridge
from milepost.client._bridge.message_mapping import MessageMapping, read_mapping
from milepost.client._bridge.redis_server import publish, redis_client, redis_name
from milepost.client._bridge.redis_subscriber import RedisSubscriber
from milepost.v1 import Event
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually

__all__ = ["Bridge", "bridging", "events_of", "job_of", "logged", "rules", "subscribed"]


class Bridge:
    """A bridge of the test, on channels of its own."""

    def __init__(
        self, inbound: InboundBridge, reader: RedisSubscriber, redis: RedisServer, name: str
    ) -> None:
        self.inbound = inbound
        self.reader = reader
        self.name = name
        self._redis = redis

    def say(self, job: str, **message: Any) -> None:
        """Publish a message of a job."""
        with self._redis.client() as client:
            client.publish(f"{self.name}:{job}", json.dumps(message))


@contextlib.asynccontextmanager
async def bridging(
    redis: RedisServer, client: Client, mapping: MessageMapping, *, ping_interval: float = 10, **options: Any
) -> AsyncIterator[Bridge]:
    """Run a bridge that reads all channels of a new name."""
    name = options.pop("name", uuid.uuid4().hex)
    connection = redis_client(redis.url)
    inbound = InboundBridge(client, mapping, partial(publish, connection), **options)
    reader = RedisSubscriber(
        connection,
        redis_name(redis.url),
        [f"{name}:*"],
        inbound.receive,
        inbound.interrupted,
        ping_interval=ping_interval,
    )
    tasks = [asyncio.create_task(reader.run()), asyncio.create_task(inbound.run())]
    try:
        await subscribed(redis, name)
        yield Bridge(inbound, reader, redis, name)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await inbound.close()
        await connection.aclose()


async def subscribed(redis: RedisServer, name: str) -> None:
    """Wait until somebody reads the channels."""

    async def is_read() -> bool:
        with redis.client() as client:
            return bool(client.publish(f"{name}:", "null"))

    await eventually(is_read)


def rules(kind: str | None = None, **document: Any) -> MessageMapping:
    """A mapping in which a message has the names of fields."""
    fields = (
        "percent",
        "stage",
        "stage_percent",
        "message",
        "log",
        "event",
        "data",
        "end",
        "failure",
        "result",
    )
    message = {name: f"{{{name}}}" for name in fields}
    given = {
        "channel": "^[^:]+:(?P<id>.+)$",
        "id": "{@id}",
        "kind": f"kind-{uuid.uuid4().hex}" if kind is None else kind,
        "idle": 60,
    }
    return read_mapping({**given, "message": [message], **document})


async def job_of(client: Client, kind: str, **wanted: Any) -> JobSnapshot:
    """Wait for the only job of a kind that has these attributes."""

    async def found() -> JobSnapshot | None:
        jobs = [job async for job in client.list(kinds=[kind])]
        assert len(jobs) <= 1
        fits = bool(jobs) and all(getattr(jobs[0], name) == value for name, value in wanted.items())
        return jobs[0] if fits else None

    job: JobSnapshot = await eventually(found)
    return job


async def events_of(client: Client, job_id: str) -> list[Event]:
    """The log of a job."""
    async with client.watch(job_id, follow=False) as watch:
        return [event async for event in watch]


async def logged(client: Client, job_id: str) -> list[str]:
    """The lines of a job's log."""
    return [e.log_written.text for e in await events_of(client, job_id) if e.HasField("log_written")]
