"""Who the server takes a caller for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client import Client, SyncClient
from milepost.client.errors import Unauthenticated
from milepost.v1 import PrincipalLimit, WhoAmIResponse
from tests.support.command import milepost, terminal
from tests.support.forking import Forkery
from tests.support.server import Server, ServerProcess
from tests.support.token_files import Tokens

SUBMITTER = WhoAmIResponse(
    subject="ci",
    owners=["team-a", "team-b"],
    scopes=["read", "submit"],
    kinds=["transcribe.*"],
    expire_time=Timestamp(seconds=4_102_444_800),
    credential_id="ci",
    limits=[
        PrincipalLimit(name="watches", maximum=7),
        PrincipalLimit(name="jobs", maximum=45_000),
        PrincipalLimit(name="input", maximum=1 << 30),
        PrincipalLimit(name="requests", maximum=2_000, burst=20_000),
        PrincipalLimit(name="events", maximum=5_000, burst=50_000),
    ],
)


def settled(found: WhoAmIResponse) -> WhoAmIResponse:
    """The response without what the call itself uses of the rate of requests, which depends on the time."""
    for limit in found.limits:
        if limit.name == "requests":
            limit.used = 0
    return found


@pytest.fixture
def token(tmp_path: Path) -> str:
    """The token of ``SUBMITTER``; a second one has no scope."""
    known = Tokens(tmp_path / "tokens.toml")
    known.add("idle", ["*"])
    more = {
        "limits": '["events=5000/s", "watches=7"]',
        "kinds": '["transcribe.*"]',
        "expires": "2100-01-01T00:00:00Z",
    }
    return known.add("ci", ["team-b", "team-a"], "submit", "read", **more)


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, token: str) -> Iterator[Server]:
    """A server with a token file."""
    with ServerProcess(
        tmp_path / "data", "--tokens", str(tmp_path / "tokens.toml"), forkery=forkery
    ) as started:
        yield started


async def test_the_principal_of_a_token(server: Server, token: str) -> None:
    """The response has all that the token file says of it, and nothing of the secret."""
    async with Client(server.address, token=token) as client:
        found = await client.whoami()
    assert settled(found) == SUBMITTER
    assert token not in str(found)


async def test_without_a_credential_there_is_no_principal(server: Server) -> None:
    """A call without a credential is nobody's."""
    async with Client(server.address) as client:
        with pytest.raises(Unauthenticated):
            await client.whoami()


async def test_without_credentials_everybody_is_anonymous(shared_server: Server) -> None:
    """Where the server has no credentials configured, with all scopes and owners."""
    async with Client(shared_server.address) as client:
        found = await client.whoami()
    scopes = ["admin", "cancel", "read", "submit", "work"]
    assert found == WhoAmIResponse(subject="anonymous", all_owners=True, scopes=scopes)


def test_without_asyncio(server: Server, token: str) -> None:
    """The same."""
    with SyncClient(server.address, token=token) as client:
        assert settled(client.whoami()) == SUBMITTER


async def test_the_command(server: Server, token: str) -> None:
    """For people a name and a value on each line; for programs the message."""
    env = {"MILEPOST_TOKEN": token}
    text = await milepost("whoami", address=server.address, env=env)
    json = await milepost("whoami", "--output", "json", address=server.address, env=env)
    assert (text.status, text.err) == (0, "")
    assert re.sub(r"\d (?=of a burst of 20,)", "0 ", text.out).splitlines() == [
        "subject     ci",
        "owners      team-a, team-b",
        "scopes      read, submit",
        "kinds       transcribe.*",
        "expires     2100-01-01 00:00:00 UTC",
        "credential  ci",
        "watches     0 of 7",
        "jobs        0 of 45,000",
        "input       0 of 1,073,741,824 bytes",
        "requests    0 of a burst of 20,000; at most 2,000 a second",
        "events      0 of a burst of 50,000; at most 5,000 a second",
    ]
    (described,) = json.objects
    assert [limit["name"] for limit in described.pop("limits")] == [
        "watches",
        "jobs",
        "input",
        "requests",
        "events",
    ]
    assert described == {
        "subject": "ci",
        "owners": ["team-a", "team-b"],
        "scopes": ["read", "submit"],
        "kinds": ["transcribe.*"],
        "expireTime": "2100-01-01T00:00:00Z",
        "credentialId": "ci",
    }


async def test_the_command_on_a_narrow_terminal(server: Server, token: str) -> None:
    """A value that does not fit goes on under its beginning, between words."""
    async with terminal("whoami", address=server.address, columns=50, env={"MILEPOST_TOKEN": token}) as shown:
        await shown.process.wait()
        await shown.shows(lambda text: "200,000" in text or "50,000" in text)
    assert [line for line in shown.text.splitlines() if line.startswith(("events ", "            "))] == [
        "            a second",
        "events      0 of a burst of 50,000; at most 5,000",
        "            a second",
    ]
