"""``milepost serve`` with certificates."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import grpc.aio
import pytest
import trustme

from tests.support.command import milepost
from tests.support.refused import refused
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess


class Certificates(NamedTuple):
    """Certificate files, and their authority."""

    chain: Path
    key: Path
    authority: bytes


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """The certificates of a server on loopback."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return Certificates(chain, key, authority.cert_pem.bytes())


async def test_tls(tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only clients that trust the authority are served."""
    monkeypatch.setenv("GRPC_VERBOSITY", "NONE")  # the server does not log failed handshakes
    other = trustme.CA().cert_pem.bytes()
    options = ("--tls-cert", str(certificates.chain), "--tls-key", str(certificates.key))
    with ServerProcess(tmp_path / "data", *options) as server:
        trusting = grpc.ssl_channel_credentials(certificates.authority)
        async with grpc.aio.secure_channel(server.address, trusting) as channel:
            rpc = Rpc(channel)
            assert rpc.kind == (await rpc.submit()).kind
        async with grpc.aio.secure_channel(server.address, grpc.ssl_channel_credentials(other)) as channel:
            assert (await refused(Rpc(channel).submit())).code == "UNAVAILABLE"
        async with connect(server.address) as rpc:
            assert (await refused(rpc.submit())).code == "UNAVAILABLE"
        assert server.stop() == 0
        assert server.log()[1]["code"] == "OK"


async def test_certificate_and_key_go_together(tmp_path: Path, certificates: Certificates) -> None:
    """A certificate without a key is an error."""
    outcome = await milepost("serve", "--tls-cert", certificates.chain, "--data", tmp_path / "data")

    assert (outcome.status, outcome.out) == (2, "")
    assert "--tls-cert and --tls-key go together" in outcome.err


async def test_a_pair_that_is_none(tmp_path: Path, certificates: Certificates) -> None:
    """The error names the files, not the address."""
    chain, key = certificates.key, certificates.chain
    outcome = await milepost(
        "serve",
        "--address",
        "127.0.0.1:0",
        "--data",
        tmp_path / "data",
        "--tls-cert",
        chain,
        "--tls-key",
        key,
    )

    assert (outcome.status, outcome.out) == (2, "")
    assert f"'{chain}' and '{key}' are no certificate chain and its key" in outcome.err
