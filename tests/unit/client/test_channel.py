"""The server's address, the caller's token, and the creation of channels."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from milepost.client import Client
from milepost.client._transport.channel import LazyChannel, Target
from milepost.client.errors import JobNotFound, MilepostError, StoreUnavailable, Unreachable


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove settings from the environment."""
    for name in ("MILEPOST_ADDRESS", "MILEPOST_TOKEN", "MILEPOST_TLS_CA"):
        monkeypatch.delenv(name, raising=False)


def test_defaults() -> None:
    """This machine, without TLS and token."""
    target = Target.of(None)
    assert target == Target("127.0.0.1:7070", "", False, None)
    assert target.metadata == ()


def test_the_environment_says_what_arguments_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments take precedence; a certificate implies TLS."""
    monkeypatch.setenv("MILEPOST_ADDRESS", "example.test:1")
    monkeypatch.setenv("MILEPOST_TOKEN", "secret")
    monkeypatch.setenv("MILEPOST_TLS_CA", "/ca.pem")
    target = Target.of(None)
    assert target == Target("example.test:1", "secret", True, Path("/ca.pem"))
    assert target.metadata == (("authorization", "Bearer secret"),)
    assert "secret" not in repr(target)
    assert Target.of("other:2", token="", tls_ca="/other.pem") == Target(
        "other:2", "", True, Path("/other.pem")
    )


def test_what_is_changed_of_a_target_leaves_the_rest() -> None:
    """An empty token is one; a CA file implies TLS."""
    target = Target("example.test:1", "secret", True, Path("/ca.pem"))
    assert target.changed() == target
    assert target.changed(token="") == Target("example.test:1", "", True, Path("/ca.pem"))
    assert target.changed(address="other:2") == Target("other:2", "secret", True, Path("/ca.pem"))
    plain = Target("example.test:1", "", False, None)
    assert plain.changed(tls_ca="/ca.pem") == Target("example.test:1", "", True, Path("/ca.pem"))


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("unix:/run/milepost.sock", True),
        ("10.0.0.1:1", False),
        ("localhost.example.test:1", False),
    ],
)
def test_which_servers_are_on_this_machine(address: str, local: bool) -> None:
    """A token may be sent to them without TLS."""
    assert local == Target.of(address).is_local


async def test_a_token_in_clear_text_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Only if it leaves the machine."""
    for address, warnings in (("127.0.0.1:1", 0), ("example.test:1", 1)):
        caplog.clear()
        channel = LazyChannel(Target.of(address, token="secret"))
        channel.jobs()
        assert warnings == len(caplog.records)
        assert "secret" not in caplog.text
        await channel.close()


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

    def wait(self) -> None:
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
    """A refusal ends the first call; and without patience so does a server that is away."""
    channel = Answers(REFUSED)
    channel.wait_for_server(60, channel.wait)
    with pytest.raises(JobNotFound):
        await channel.made()
    impatient = Answers(AWAY)
    impatient.wait_for_server(0, impatient.wait)
    with pytest.raises(Unreachable):
        await impatient.made()

    assert (channel.waits, impatient.waits) == (0, 0)
