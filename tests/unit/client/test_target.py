"""The server's address, and the client's credentials."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from milepost.client import Client, SyncClient, Worker
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.target import Target
from milepost.client._transport.token_source import TokenFile
from milepost.client.errors import InsecureToken

CA, CERT, KEY = Path("/ca.pem"), Path("/cert.pem"), Path("/key.pem")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove settings from the environment."""
    for name in [name for name in os.environ if name.startswith("MILEPOST_")]:
        monkeypatch.delenv(name)


def test_defaults() -> None:
    """This machine, without TLS and token."""
    assert Target.of(None) == Target("127.0.0.1:7070", "", False, None)


@pytest.mark.parametrize("made", [Client, SyncClient, Worker])
def test_an_option_that_there_is_not(made: Any) -> None:
    """The error names it, and none of the SDK's own methods."""
    with pytest.raises(TypeError, match=r"^There is no option 'concurrency'; help\(\) of the class shows"):
        made(concurrency=2)


def test_the_environment_says_what_arguments_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments take precedence; a certificate implies TLS; no text of a target shows its token."""
    for name, value in {
        "ADDRESS": "example.test:1",
        "TOKEN": "secret",
        "TOKEN_FILE": "/token",
        "TLS_CA": "/ca.pem",
        "TLS_CLIENT_CERT": "/cert.pem",
        "TLS_CLIENT_KEY": "/key.pem",
        "ALLOW_PLAINTEXT_TOKEN": "yes",
    }.items():
        monkeypatch.setenv(f"MILEPOST_{name}", value)
    target = Target.of(None)
    assert target == Target("example.test:1", "secret", True, CA, CERT, KEY, True)
    assert "secret" not in repr(target)
    others = Target.of("other:2", token="", tls_ca="/other.pem", tls_cert="/c", tls_key="/k")
    assert others == Target("other:2", "", True, Path("/other.pem"), Path("/c"), Path("/k"), True)


@pytest.mark.parametrize(("value", "tls"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_tls_of_the_environment(value: str, tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command reads it."""
    monkeypatch.setenv("MILEPOST_TLS", value)
    assert Target.of(None).tls is tls


def test_a_token_file_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comes after the token of the environment."""
    monkeypatch.setenv("MILEPOST_TOKEN_FILE", "/token")
    assert Target.of(None).token == TokenFile(Path("/token"))
    assert Target.of(None, token="given").token == "given"


def test_what_is_changed_of_a_target_leaves_the_rest() -> None:
    """An empty token is one; a CA file or a certificate implies TLS."""
    target = Target("example.test:1", "secret", True, CA)
    assert target.changed() == target
    assert target.changed(token="") == Target("example.test:1", "", True, CA)
    assert target.changed(address="other:2") == Target("other:2", "secret", True, CA)
    plain = Target("example.test:1", "", False, None)
    assert plain.changed(tls_ca=CA) == Target("example.test:1", "", True, CA)
    both = plain.changed(tls_cert=CERT, tls_key=KEY)
    assert both == Target("example.test:1", "", True, None, CERT, KEY)


def test_a_certificate_without_its_key() -> None:
    """They go together."""
    with pytest.raises(ValueError, match="go together"):
        Client("127.0.0.1:1", tls_cert=CERT)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.0.0.2:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("unix:/run/milepost.sock", True),
        ("dns:localhost:1", True),
        ("dns:///localhost:1", True),
        ("ipv4:127.0.0.1:1,127.0.0.1:2", True),
        ("ipv6:[::1]:1", True),
        ("10.0.0.1:1", False),
        ("0.0.0.0:1", False),
        ("localhost.example.test:1", False),
        ("dns://localhost/example.test:1", False),
        ("dns://10.0.0.1/localhost:1", False),
        ("ipv4:127.0.0.1:1,10.0.0.1:2", False),
    ],
)
def test_which_servers_are_on_this_machine(address: str, local: bool) -> None:
    """A token may be sent to them without TLS."""
    assert local == Target.of(address).is_local


@pytest.mark.parametrize("token", ["secret", lambda: "secret", TokenFile(Path("/token"))])
async def test_no_token_in_plain_text_beyond_this_machine(
    token: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error names the address, before anything is sent or a callable is called; unless that is allowed."""
    for make in (Client, SyncClient):
        with pytest.raises(
            InsecureToken, match=r"^The token would travel to example\.test:1 in plain text"
        ) as error:
            make("example.test:1", token=token)
        assert "secret" not in str(error.value)
    worker = Worker("example.test:1", token=token)
    worker.job("kind")(lambda job: None)
    with pytest.raises(InsecureToken):
        await worker.run()
    for given in (Target.of("127.0.0.1:1", token=token), Target.of("example.test:1", token=token, tls=True)):
        LazyChannel(given)
    LazyChannel(Target.of("example.test:1", token=token, allow_plaintext_token=True))
    monkeypatch.setenv("MILEPOST_ALLOW_PLAINTEXT_TOKEN", "1")
    LazyChannel(Target.of("example.test:1", token=token))


@pytest.mark.parametrize("kind", [Client, SyncClient, Worker])
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:7070", "localhost", ":7070", "host:x", "host:99999", "host:7070/", ""]
)
def test_an_address_has_a_host_and_a_port(kind: type[Any], address: str) -> None:
    """Otherwise gRPC looks for a host of that name, or takes another port."""
    with pytest.raises(ValueError, match=r"^The address is HOST:PORT, such as 127\.0\.0\.1:7070, and not '"):
        kind(address)


@pytest.mark.parametrize(
    "address", ["host:1", "[::1]:7070", "unix:/run/milepost", "dns:///host:1", "ipv6:[::1]:1"]
)
def test_addresses(address: str) -> None:
    """Also of gRPC's schemes."""
    assert Target.of(address).address == address
