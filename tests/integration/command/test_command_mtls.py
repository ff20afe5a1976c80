"""The command at a server that demands client certificates."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority, ClientFiles, ServerFiles
from tests.support.command import milepost, started
from tests.support.forking import Forkery
from tests.support.server import ServerProcess

NAME = "spiffe://example.org/worker"
WORKER = """
from milepost.client import Worker

worker = Worker()


@worker.job("k")
def handle(job):
    return {"done": True}
"""
COMMANDS = {
    "watch": ("watch", "j"),
    "exec": ("exec", "--kind", "k"),
}
REFUSED = "it ended the connection at once; it may expect TLS, or a client certificate that is valid for it"
UNTRUSTED = "its certificate is not trusted"
UNKNOWN = "The server knows none of the names in the client's certificate"


@pytest.fixture
def authority() -> Authority:
    """The authority of the server's certificate and of those of its clients."""
    return Authority()


@pytest.fixture
def server(tmp_path: Path, authority: Authority, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server that demands certificates, and knows one of them."""
    (tmp_path / "tokens.toml").write_text(
        f'[[certificate]]\nid = "w"\nsan = "{NAME}"\nsubject = "w"\nowners = ["*"]\nscopes = ["admin"]\n'
    )
    (tmp_path / "jobs.py").write_text(WORKER)
    options = [
        *ServerFiles(tmp_path, authority, authority).options,
        "--tokens",
        str(tmp_path / "tokens.toml"),
    ]
    with ServerProcess(tmp_path / "data", *options, forkery=forkery) as made:
        yield made


def options_of(which: str, directory: Path, authority: Authority) -> list[str]:
    """The options of TLS for a client with this certificate."""
    shown = {
        "foreign": Authority().issue_uri(NAME),
        "expired": authority.issue_uri(NAME, seconds=-60),
        "unknown": authority.issue_uri(f"{NAME}-2"),
    }
    trusted = Authority() if which == "of a server that is not trusted" else authority
    files = ClientFiles(directory / "client", trusted, shown.get(which) or authority.issue_uri(NAME))
    if which == "plain text":
        return []
    if which == "missing":
        return ["--tls-ca", str(files.ca)]
    return [
        "--tls-ca",
        str(files.ca),
        "--tls-client-cert",
        str(files.cert),
        "--tls-client-key",
        str(files.key),
    ]


async def test_the_right_certificate(server: ServerProcess, tmp_path: Path, authority: Authority) -> None:
    """A worker, what follows its job, and a program as a job."""
    options = options_of("right", tmp_path, authority)
    async with started("worker", "jobs:worker", *options, address=server.address, cwd=tmp_path):
        done = [
            await milepost("submit", "k", "--job-id", "j", "--wait", *options, address=server.address),
            await milepost(*COMMANDS["watch"], *options, address=server.address),
            await milepost(*COMMANDS["exec"], *options, "--", "true", address=server.address),
        ]
    assert [outcome.status for outcome in done] == [0] * 3, done
    assert "succeeded" in done[1].out + done[1].err


@pytest.mark.parametrize(
    ("which", "status", "text"),
    [
        ("missing", 5, REFUSED),
        ("foreign", 5, REFUSED),
        ("expired", 5, REFUSED),
        ("plain text", 5, REFUSED),
        ("of a server that is not trusted", 5, UNTRUSTED),
        ("unknown", 2, UNKNOWN),
    ],
)
async def test_wrong_certificates_are_explained(
    server: ServerProcess, tmp_path: Path, authority: Authority, which: str, status: int, text: str
) -> None:
    """Each command says in one line what is wrong. A worker says so and tries again, unless it gets an answer."""
    options = options_of(which, tmp_path, authority)
    programs = {"exec": ("--", "true")}
    commands = [(*command, *options, *programs.get(name, ())) for name, command in COMMANDS.items()]
    ended = await asyncio.gather(*(milepost(*command, address=server.address) for command in commands))
    assert [(each.status, each.out, text in each.err, each.err.count("\n")) for each in ended] == [
        (status, "", True, 1)
    ] * len(ended), ended
    async with started("worker", "jobs:worker", *options, address=server.address, cwd=tmp_path) as worker:
        await worker.says(text)
        if status == 5:
            worker.signal(signal.SIGTERM)
        assert (await worker.end()).status == (0 if status == 5 else status)


async def test_a_command_without_tls_at_a_server_that_has_it(
    tmp_path: Path, authority: Authority, forkery: Forkery
) -> None:
    """The error says which options to give, whether the server demands certificates of its clients or not."""
    files = ServerFiles(tmp_path, authority)
    with ServerProcess(tmp_path / "data", *files.options, forkery=forkery) as server:
        outcome = await milepost(
            "get", "nowhere", address=server.address, env={"MILEPOST_CONNECT_TIMEOUT": "0"}
        )

    assert (outcome.status, outcome.out, outcome.err) == (
        5,
        "",
        (
            f"Error: The server at {server.address} cannot be reached ({REFUSED}). Give --tls, and --tls-ca for an "
            "authority of its own; for a client certificate --tls-client-cert and --tls-client-key.\n"
        ),
    )
