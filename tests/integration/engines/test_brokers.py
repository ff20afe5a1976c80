"""The brokers of the tests: what they keep, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from kombu import Connection

from tests.support.ports import is_closed
from tests.support.rabbitmq import RabbitServer
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually


async def closed(port: int) -> None:
    """Wait until nobody listens there."""

    async def nobody_listens() -> bool:
        return is_closed(port)

    await eventually(nobody_listens)


@pytest.mark.parametrize("durable", [False, True])
async def test_redis_keeps_what_it_says(tmp_path: Path, durable: bool) -> None:
    """What it has outlives a stop, and a kill if it is durable; its password is needed, and in its URL."""
    with RedisServer(tmp_path / "redis", password="a b/@", durable=durable) as server:
        with server.client(1) as client:
            client.set("key", "value")
        server.stop()
        server.start()
        with server.client(1) as client:
            assert client.get("key") == "value"
            client.set("key", "newer")
        server.kill()
        server.start()
        with server.client(1) as client:
            assert client.get("key") == ("newer" if durable else "value")
    await closed(server.port)


@pytest.mark.nightly
async def test_rabbitmq_keeps_durable_queues(tmp_path: Path) -> None:
    """Across a stop; it starts after a kill, and neither the broker nor its port mapper outlives its test."""
    with RabbitServer(tmp_path / "rabbitmq") as broker:
        with Connection(broker.url) as connection:
            queue = connection.SimpleQueue("kept")
            queue.put("message")
            queue.close()
        broker.stop()
        broker.start()
        with Connection(broker.url) as connection:
            queue = connection.SimpleQueue("kept")
            message = queue.get(timeout=120)
            message.ack()
            queue.close()
        assert message.payload == "message"
        broker.kill()
        broker.start()
        group = broker.pid
    await closed(broker.port)
    with pytest.raises(ProcessLookupError):
        os.killpg(group, signal.SIGCONT)
