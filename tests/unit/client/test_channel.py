"""The server's address, the caller's token, and the creation of channels."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from milepost.client import Client
from milepost.client._transport.channel import LazyChannel, Target


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
