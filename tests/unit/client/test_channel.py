"""The creation of channels, and the first call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import grpc
import pytest

from milepost.client import Client
from milepost.client._transport import channel as channel_module
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.target import Target
from milepost.client.errors import JobNotFound, LimitReached, MilepostError, StoreUnavailable, Unreachable
from tests.support.rpc import eventually

# Seconds for what does not end otherwise.
LIMIT: Final = 120.0


def test_a_channel_is_made_for_each_loop() -> None:
    """A client that was created outside of a loop works in any loop, one after the other."""
    client = Client("127.0.0.1:1")
    channel = client._channel
    made = []

    async def use() -> None:
        channel.jobs()
        made.append(channel._open())
        channel.work()
        made.append(channel._open())

    asyncio.run(use())
    asyncio.run(use())
    assert made[0] is made[1]
    assert made[2] is made[3]
    assert made[0] is not made[2]


async def test_a_closed_client_says_so() -> None:
    """It does not connect again."""
    client = Client("127.0.0.1:1")
    await client.close()
    await client.close()
    with pytest.raises(RuntimeError, match="The client is closed"):
        await client.get("j")


async def attached(client: Client) -> None:
    """A block of a job."""
    async with client.attach("j"):
        pass


@pytest.mark.parametrize(
    "waits",
    [
        lambda client: client.get("j"),
        lambda client: anext(client.watch("j")),
        lambda client: anext(client.watch_jobs()),
        attached,
    ],
    ids=["call", "watch", "watch of jobs", "block"],
)
async def test_closing_a_client_ends_waits_for_its_first_token(
    waits: Callable[[Client], Awaitable[object]],
) -> None:
    """There is no connection yet; and who comes later asks for no token."""
    asked = 0
    is_asked = asyncio.Event()

    async def token() -> str:
        nonlocal asked
        asked += 1
        is_asked.set()
        await asyncio.Event().wait()
        return ""

    client = Client("127.0.0.1:1", token=token, timeout=LIMIT)
    waiting = asyncio.ensure_future(waits(client))
    await is_asked.wait()
    await client.close()
    for ended in (waiting, asyncio.ensure_future(waits(client))):
        with pytest.raises(RuntimeError, match="The client is closed"):
            await asyncio.wait_for(ended, LIMIT)

    assert asked == 1


class Full(LazyChannel):
    """A channel to a server that has no room for an hour."""

    async def call_once(self, *args: Any) -> Any:
        """Refuse the call."""
        raise LimitReached("It is full.", retry_delay=3600.0)


async def test_closing_a_channel_ends_a_call_that_is_to_be_repeated() -> None:
    """It waits for when the server has room."""
    channel = Full(Target.of("127.0.0.1:1"))
    calling = asyncio.ensure_future(channel.call(cast("Any", lambda: None), cast("Any", None), 7200.0))

    async def waits() -> bool:
        return bool(channel._delays._blocks)

    await eventually(waits)
    await channel.close()
    with pytest.raises(RuntimeError, match="The client is closed"):
        await asyncio.wait_for(calling, LIMIT)


class Answers(LazyChannel):
    """A channel whose calls end as the test says, one after the other."""

    def __init__(self, *outcomes: MilepostError | str) -> None:
        super().__init__(Target.of("127.0.0.1:1"))
        self.outcomes = list(outcomes)
        self.waits = 0

    async def _call(self, method: Any, request: Any, timeout: float) -> Any:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, MilepostError):
            raise outcome
        return outcome

    def wait(self, _: MilepostError) -> None:
        """Counts how often it is told that the server is waited for."""
        self.waits += 1

    async def made(self) -> Any:
        """A call."""
        return await self.call(cast("Any", None), cast("Any", None), 1.0)


AWAY = Unreachable("127.0.0.1:1", "connection refused")
STARTING = StoreUnavailable("The server is starting.", code=grpc.StatusCode.UNAVAILABLE)
REFUSED = JobNotFound("There is no such job.", code=grpc.StatusCode.NOT_FOUND)


async def test_the_first_call_waits_for_a_server_that_starts() -> None:
    """It is made again while nobody answers, or a server that still opens its store; no later one is."""
    channel = Answers(AWAY, AWAY, STARTING, "first", AWAY)
    channel.wait_for_server(60, channel.wait)

    assert await channel.made() == "first"
    assert channel.waits == 1
    with pytest.raises(Unreachable):
        await channel.made()


async def test_an_answer_is_not_waited_for() -> None:
    """A refusal ends the first call, as does a certificate that is not trusted, at whichever of the name's addresses;
    and without patience so does a server that is away.
    """
    untrusted = Answers(AWAY, Unreachable("localhost:1", "its certificate is not trusted"), AWAY, "first")
    untrusted.wait_for_server(60, untrusted.wait)
    with pytest.raises(Unreachable, match="not trusted"):
        await untrusted.made()
    channel = Answers(REFUSED)
    channel.wait_for_server(60, channel.wait)
    with pytest.raises(JobNotFound):
        await channel.made()
    impatient = Answers(AWAY)
    impatient.wait_for_server(0, impatient.wait)
    with pytest.raises(Unreachable):
        await impatient.made()

    assert (channel.waits, impatient.waits) == (0, 0)


class FullAtFirst(LazyChannel):
    """A channel to a server that has room at the third call."""

    def __init__(self) -> None:
        super().__init__(Target.of("127.0.0.1:1"))
        self.refusals = 2

    async def call_once(self, *args: Any) -> Any:
        """Refuse the call, until there is room."""
        if self.refusals:
            self.refusals -= 1
            raise LimitReached("The queue is full.", retry_delay=0.0)
        return "answer"


@pytest.mark.parametrize(
    ("silent", "told", "lines"), [(0.0, False, 1), (LIMIT, False, 0), (0.0, True, 0)], ids=str
)
async def test_a_call_that_waits_for_room_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, silent: float, told: bool, lines: int
) -> None:
    """Once, when it has waited for some seconds: whoever has made it would see nothing happen. A command says it."""
    monkeypatch.setattr(channel_module, "_SILENT_WAIT", silent)
    channel = FullAtFirst()
    if told:
        channel.wait_for_server(0, lambda error: None)

    assert await channel.call(cast("Any", lambda: None), cast("Any", None), LIMIT) == "answer"
    assert [text.rpartition(": ")[2] for text in caplog.messages] == ["The queue is full."] * lines
