"""The SDK over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from milepost.client import Client, JobContext, SyncClient, Worker
from milepost.client.errors import Unreachable
from tests.support.server import ServerProcess


@pytest.fixture
def authority() -> trustme.CA:
    """The authority of the server's certificate."""
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    """The certificate to trust."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def tls_server(authority: trustme.CA, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with a certificate for its address."""
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    options = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with ServerProcess(tmp_path / "data", *options) as server:
        yield server


async def test_a_trusted_certificate_is_enough(tls_server: ServerProcess, trusted: Path) -> None:
    """For clients and workers; giving it implies TLS."""
    worker = Worker(tls_server.address, tls_ca=trusted)

    @worker.job("echo")
    async def echo(job: JobContext) -> dict[str, object]:
        worker.stop()
        return job.input

    async with Client(tls_server.address, tls_ca=trusted) as client:
        job = await client.submit("echo", {"over": "TLS"})
        await worker.run()
        assert await client.result(job.job_id) == {"over": "TLS"}


def test_what_is_not_trusted_is_not_spoken_to(tls_server: ServerProcess) -> None:
    """Neither with the system's certificates, nor without TLS."""
    for tls in (True, False):
        with SyncClient(tls_server.address, tls=tls, timeout=10) as client, pytest.raises(Unreachable):
            client.get("j")
