"""The parts of a bridge, without Redis and a server."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from milepost.client import Client
from milepost.client._bridge.inbound_bridge import InboundBridge
from milepost.client._bridge.mapping_source import find_mapping
from milepost.client._bridge.message_mapping import JobRules
from milepost.client._bridge.redis_server import redis_client
from milepost.client._cli.commands import bridge_runner


async def test_a_bridge_ends_with_each_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that only reads would end no idle job, and log no message that it cannot report."""

    async def fail(bridge: InboundBridge) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(InboundBridge, "run", fail)
    url = "redis://127.0.0.1:1"
    server: Any = SimpleNamespace(client=lambda *, wait: Client("127.0.0.1:1"))
    options: Any = SimpleNamespace(url=url, owner="", max_jobs=1, channels=["progress:*"])
    reading = bridge_runner._read(server, options, redis_client(url), find_mapping("progress", JobRules()))

    async with asyncio.timeout(120):
        with pytest.raises(ZeroDivisionError):
            await reading
