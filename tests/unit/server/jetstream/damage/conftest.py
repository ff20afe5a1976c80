"""Nodes, and an administrator, on a stream of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from milepost.server.log.jetstream import joining, ordered_consumer
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.node_presence import NoPeers
from tests.support.nats import NatsServer
from tests.unit.server.jetstream.damage.streams import Node, made


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[structlog.typing.EventDict]]:
    """Capture the log, and shorten the check intervals."""
    monkeypatch.setattr(ordered_consumer, "_CHECK_INTERVAL", 0.05)
    monkeypatch.setattr(ordered_consumer, "_HEARTBEAT", 0.5)
    monkeypatch.setattr(joining, "_LOST_DELAY", 0.05)
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def node(tmp_path: Path, nats_server: NatsServer, names: StreamNames) -> Node:
    """Open a serving node on the test's stream; again the same one for the same name."""

    @asynccontextmanager
    async def opened(name: str = "a", states: list[bool] | None = None) -> AsyncIterator[JetStreamEventLog]:
        log = made(tmp_path / name, nats_server, names, states)
        try:
            await log.start()
            await log.share_presence(NoPeers(), 1.0)
            yield log
        finally:
            await log.close()

    return opened
