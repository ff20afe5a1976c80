"""``milepost serve`` with certificates."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.authority import LOOPBACK, Authority, ServerFiles
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.replacing import replace
from tests.support.rpc import connect
from tests.support.server import ServerProcess


@pytest.fixture
def authority() -> Authority:
    """The authority of the server's certificate."""
    return Authority()


@pytest.fixture
def clients() -> Authority:
    """The authority of the clients' certificates."""
    return Authority()


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> ServerFiles:
    """The files of a server on loopback."""
    return ServerFiles(tmp_path, authority)


@pytest.fixture
def server(tmp_path: Path, files: ServerFiles, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server with certificate and key."""
    with ServerProcess(tmp_path / "data", *files.options, forkery=forkery) as started:
        yield started


def logged(server: ServerProcess, event: str) -> list[dict[str, Any]]:
    """The lines of the log with this event."""
    # Those of gRPC's core, about failed handshakes, are not JSON.
    lines = (line for line in server.log_path.read_text().splitlines() if line.startswith("{"))
    return [line for line in map(json.loads, lines) if line["event"] == event]


async def outcome(
    server: ServerProcess, trusted: Authority | None, client: trustme.LeafCert | None = None
) -> str:
    """The status of a call over a new connection."""
    tls = None if trusted is None else trusted.channel_credentials(client)
    async with connect(server.address, tls=tls) as rpc:
        return (await refused(rpc.get("missing"))).code


async def test_tls(server: ServerProcess, authority: Authority) -> None:
    """Only clients that trust the authority are served."""
    found = [await outcome(server, trusted) for trusted in (authority, Authority(), None)]

    assert found == ["NOT_FOUND", "UNAVAILABLE", "UNAVAILABLE"]
    assert server.stop() == 0
    assert [line["code"] for line in logged(server, "call")] == ["NOT_FOUND"]


async def test_a_name_that_is_not_the_servers(
    tmp_path: Path, authority: Authority, files: ServerFiles, forkery: Forkery
) -> None:
    """Clients verify the name: a certificate of the right authority for another host is refused."""
    files.renew(authority, "other.example.org")
    with ServerProcess(tmp_path / "data", *files.options, forkery=forkery) as server:
        assert await outcome(server, authority) == "UNAVAILABLE"


async def test_a_renewed_certificate(server: ServerProcess, authority: Authority, files: ServerFiles) -> None:
    """New connections get the certificate and key that the files have now; open streams go on."""
    other = Authority()
    async with connect(server.address, tls=authority.channel_credentials()) as rpc:
        job = await rpc.submit()
        frames = aiter(rpc.watch(job.job_id))
        assert (await anext(frames)).WhichOneof("frame") == "opened"
        files.renew(other)

        found = [await outcome(server, trusted) for trusted in (other, authority)]
        await rpc.cancel(job.job_id)
        payloads = [event.WhichOneof("payload") async for frame in frames for event in frame.events.events]

    assert found == ["NOT_FOUND", "UNAVAILABLE"]
    assert payloads == ["job_submitted", "cancel_requested", "job_ended"]
    assert len(logged(server, "TLS files reloaded")) == 1


async def test_broken_files(server: ServerProcess, authority: Authority, files: ServerFiles) -> None:
    """Files that do not fit leave the last good ones in force; the log says so once, until they fit again."""
    replace(files.key, b"hello")
    found = [await outcome(server, authority) for _ in range(3)]
    files.certificate.unlink()
    found += [await outcome(server, authority) for _ in range(3)]

    assert found == ["NOT_FOUND"] * 6
    errors = [
        line["error"] for line in logged(server, "TLS files not reloaded; the earlier ones stay in force")
    ]
    assert len(errors) == 2
    assert "are not a certificate chain and its key" in errors[0]
    assert "cert.pem' cannot be read" in errors[1]

    other = Authority()
    files.renew(other)
    assert await outcome(server, other) == "NOT_FOUND"


async def test_certificates_of_clients(
    tmp_path: Path, authority: Authority, clients: Authority, forkery: Forkery
) -> None:
    """With a client CA no call gets in without a valid certificate of it; the CA is reloaded like the rest."""
    files = ServerFiles(tmp_path, authority, clients)
    later = Authority()
    shown = {
        "none": None,
        "of another authority": later.issue("ci.example.org"),
        "expired": clients.issue("ci.example.org", expired=True),
        "right": clients.issue("ci.example.org"),
    }
    options = (*files.options, "--allow-anonymous")
    with ServerProcess(tmp_path / "data", *options, forkery=forkery) as server:
        before = {name: await outcome(server, authority, client) for name, client in shown.items()}
        replace(files.client_ca, later.pem)
        after = {name: await outcome(server, authority, client) for name, client in shown.items()}

    unavailable = dict.fromkeys(shown, "UNAVAILABLE")
    assert before == {**unavailable, "right": "NOT_FOUND"}
    assert after == {**unavailable, "of another authority": "NOT_FOUND"}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
@pytest.mark.parametrize(("minimum", "accepted"), [("1.2", {"1.2", "1.3"}), ("1.3", {"1.3"})])
async def test_the_oldest_version(
    tmp_path: Path, authority: Authority, files: ServerFiles, minimum: str, accepted: set[str]
) -> None:
    """A client that speaks nothing newer gets no connection, and nobody one of TLS 1.1."""

    def shake_hands(address: str, version: ssl.TLSVersion) -> bool:
        context = ssl.create_default_context(cadata=authority.pem.decode())
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2"])
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # otherwise OpenSSL itself refuses TLS 1.1
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port))) as plain:
            try:
                context.wrap_socket(plain, server_hostname=LOOPBACK).close()
            except ssl.SSLError:
                return False
        return True

    versions = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    with ServerProcess(tmp_path / "data", *files.options, "--tls-min-version", minimum) as server:
        found = {
            name
            for name, version in versions.items()
            if await asyncio.to_thread(shake_hands, server.address, version)
        }
        assert await outcome(server, authority) == "NOT_FOUND"

    assert found == accepted


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--tls-cert", "cert.pem"], "--tls-cert and --tls-key go together"),
        (["--tls-client-ca", "cert.pem"], "without them there is no TLS"),
        (["--tls-min-version", "1.3"], "without them there is no TLS"),
        (["--tls-cert", "key.pem", "--tls-key", "cert.pem"], "are not a certificate chain and its key"),
        (
            ["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--tls-client-ca", "cert.pem"],
            "With --tls-client-ca alone everyone who has a certificate may do everything",
        ),
    ],
)
async def test_options_that_do_not_fit(
    tmp_path: Path, files: ServerFiles, options: list[str], text: str
) -> None:
    """The server does not start, and says which option or file it is."""
    options = [str(tmp_path / option) if option.endswith(".pem") else option for option in options]
    ended = await milepost("serve", "--address", "127.0.0.1:0", "--data", tmp_path / "data", *options)

    assert (ended.status, ended.out) == (2, "")
    assert text in " ".join(ended.err.replace("│", "").split())
