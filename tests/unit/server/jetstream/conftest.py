"""A stream of the test's own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
from nats.js import JetStreamContext

from milepost.server.log.jetstream import job_publisher
from milepost.server.log.jetstream.stream import StreamNames
from tests.support.nats import NatsServer, administering


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Appends wait for a busy disk for longer than by default."""
    monkeypatch.setattr(job_publisher, "APPEND_TIMEOUT", 120.0)


@pytest.fixture
def names() -> StreamNames:
    """Names of a stream for this test."""
    return StreamNames(f"test-{uuid.uuid4().hex}")


@pytest.fixture
async def jetstream(nats_server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """The JetStream API, as an administrator uses it."""
    async with administering(nats_server.url) as jetstream:
        yield jetstream
