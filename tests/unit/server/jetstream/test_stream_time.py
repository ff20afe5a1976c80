"""All nodes of a stream go by the clock of its leader, whatever the clocks of their machines say."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from milepost.server.base.clock import AdjustedClock
from milepost.server.log.jetstream import stream_time
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import ConnectionLost, NatsAccess
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.jetstream.stream_time import TOLERANCE, StreamTime
from milepost.server.messages.timestamps import SECOND
from tests.support.nats import NatsServer
from tests.support.rpc import eventually

HOUR = 3600 * SECOND


class Machine:
    """A machine whose clock somebody sets."""

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead

    def now(self) -> int:
        """Its time of day."""
        return time.time_ns() + self.ahead


def is_right(clock: AdjustedClock) -> bool:
    """Whether the clock tells the time of the stream's leader, which here is that of the test, to a minute."""
    return abs(clock.now() - time.time_ns()) < 60 * SECOND


@pytest.fixture
async def names(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[StreamNames]:
    """Those of a stream that a node has made."""
    made = StreamNames(f"test-{uuid.uuid4().hex}")
    directory = tmp_path / "first"
    directory.mkdir()
    log = JetStreamEventLog(directory, NatsAccess((nats_server.url,)), made)
    await log.start()
    yield made
    await log.close()


@pytest.fixture
async def connection(nats_server: NatsServer) -> AsyncIterator[NatsConnection]:
    """A further node's connection."""
    opened = NatsConnection(NatsAccess((nats_server.url,)), lambda up: None)
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
async def test_a_node_whose_clock_is_wrong(
    nats_server: NatsServer, names: StreamNames, tmp_path: Path, ahead: int
) -> None:
    """Its clock is right before it has caught up, and so before it looks at a job; the log warns of its machine."""
    clock = AdjustedClock(Machine(ahead).now)
    log = JetStreamEventLog(tmp_path, NatsAccess((nats_server.url,)), names, clock=clock)
    with structlog.testing.capture_logs() as lines:
        await log.start()
    await log.close()

    assert is_right(clock)
    warned = [line["seconds_behind"] for line in lines if line["log_level"] == "warning"]
    assert [round(behind / 3600) for behind in warned] == [-ahead // HOUR]


async def test_a_clock_that_is_set_later(
    connection: NatsConnection, names: StreamNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node follows, and goes by its own clock again once that is right."""
    monkeypatch.setattr(stream_time, "_INTERVAL", 0.01)
    machine = Machine(0)
    clock = AdjustedClock(machine.now)
    time_of_stream = StreamTime(connection, names, clock)
    await time_of_stream.start()
    assert not clock.is_adjusted

    async def follows() -> bool:
        return is_right(clock) and clock.is_adjusted == (machine.ahead != 0)

    machine.ahead = HOUR
    await eventually(follows)
    machine.ahead = 0
    await eventually(follows)
    await time_of_stream.close()


async def test_a_clock_that_is_right(connection: NatsConnection, names: StreamNames) -> None:
    """It stays as it is within what can be measured, so that it does not move back and forth."""
    clock = AdjustedClock(Machine(TOLERANCE // 2).now)
    await StreamTime(connection, names, clock).adjust()

    assert not clock.is_adjusted


async def test_a_clock_that_is_set_right(connection: NatsConnection, names: StreamNames) -> None:
    """Until the next measurement the node goes on with the time that it has, and not by twice the difference."""
    machine = Machine(-HOUR)
    clock = AdjustedClock(machine.now)
    await StreamTime(connection, names, clock).adjust()
    machine.ahead = 0

    assert is_right(clock)


async def test_a_clock_that_drifts(connection: NatsConnection, names: StreamNames) -> None:
    """The log warns although no two measurements differ by much; once, until it is wrong by another second."""
    machine = Machine(0)
    time_of_stream = StreamTime(connection, names, AdjustedClock(machine.now))
    with structlog.testing.capture_logs() as lines:
        for _ in range(7):
            # Errors of measuring decide nothing: one step is clearly less than the second, and two are more.
            machine.ahead -= 6 * SECOND // 10
            await time_of_stream.adjust()

    assert [line["log_level"] for line in lines] == ["warning"] * 3


async def test_an_answer_that_is_lost(
    connection: NatsConnection, names: StreamNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that came before counts. A node that starts asks until there is one."""
    clock = AdjustedClock(Machine(HOUR).now)
    time_of_stream = StreamTime(connection, names, clock)
    ask, asked = connection.ask, 0

    async def lossy(question: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked in (1, 3):
            raise ConnectionLost("lost")
        return await ask(question)

    monkeypatch.setattr(connection, "ask", lossy)
    await time_of_stream.start()
    await time_of_stream.close()

    assert is_right(clock)
    assert asked == 3


async def test_without_an_answer(connection: NatsConnection, names: StreamNames) -> None:
    """The clock stays as it was: of a NATS that tells no time, and of one that does not answer."""
    clock = AdjustedClock(Machine(-HOUR).now)
    clock.adjust(HOUR)
    assert await StreamTime(connection, StreamNames("unknown"), clock).adjust()
    assert is_right(clock)

    await connection.close()
    assert not await StreamTime(connection, names, clock).adjust()
    assert is_right(clock)
