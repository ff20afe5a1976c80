"""In whose turn a node reads what a write to the stream needs."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest

from milepost.server.access.current_principal import set_principal
from milepost.server.access.principal import ANONYMOUS
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.sqlite.read_lane import ReadLane
from milepost.server.scheduling.callers import SERVER
from tests.support.commits import Author, put_in_turn
from tests.support.nats import NatsServer


async def test_a_write_reads_in_the_turn_of_its_caller(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job's end, and what a drop is planned from; the server's own writes read in the server's turn."""
    callers: list[str] = []
    run = ReadLane.run

    async def note(self: ReadLane, caller: str, function: Any) -> Any:
        callers.append(caller)
        return await run(self, caller, function)

    names = StreamNames(f"test-{uuid.uuid4().hex}")
    log = JetStreamEventLog(tmp_path, NatsAccess((nats_server.url,)), names)
    await log.start()
    monkeypatch.setattr(ReadLane, "run", note)

    async def write(job_id: str, peer: str) -> set[str]:
        if peer:
            set_principal(ANONYMOUS, peer)
        callers.clear()
        author = Author(job_id)
        await put_in_turn(log, author.submit(), author.start(), author.succeed())
        await log.delete(job_id)
        return set(callers)

    assert await asyncio.create_task(write("a", "ipv4:10.0.0.1:5")) == {"ipv4:10.0.0.1"}
    assert await asyncio.create_task(write("b", "ipv4:10.0.0.2:5")) == {"ipv4:10.0.0.2"}
    assert await asyncio.create_task(write("c", "")) == {SERVER}
    await log.close()
