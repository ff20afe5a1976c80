"""The server's address and certificate."""

from __future__ import annotations

import socket
from pathlib import Path

import click
import pytest
import trustme

from milepost.server.cli.listen_options import parse_address
from milepost.server.runtime.listen_address import check_free
from milepost.server.runtime.tls.tls_files import TlsFileError, TlsFiles


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:7070", "[::1]:65535", "0.0.0.0:1"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    """A valid address stays unchanged."""
    assert address == parse_address(address)


@pytest.mark.parametrize(
    "address",
    ["", "7070", "host", "host:", ":7070", "host:65536", "host:99999", "host:-1", "host:x", "host:²"],
)
def test_anything_else_is_none(address: str) -> None:
    """For these gRPC would use another port, or report a port in use."""
    with pytest.raises(click.BadParameter, match="is not host:port"):
        parse_address(address)


def test_a_free_address() -> None:
    """Also one that a server has just left with a closed connection; and port 0."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""

    check_free(f"127.0.0.1:{port}")
    check_free("127.0.0.1:0")
    check_free("localhost:0")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_an_address_in_use(host: str) -> None:
    """Also if another server listens at only one of the host's addresses: clients would reach it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(OSError, match="the address is in use"),
    ):
        check_free(f"{host}:{server.getsockname()[1]}")


def test_a_certificate_goes_with_its_key(tmp_path: Path) -> None:
    """Not with another file."""
    chain, key, other, text = (tmp_path / name for name in ("chain.pem", "key.pem", "other.pem", "text.pem"))
    issued = trustme.CA().issue_cert("localhost")
    chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(other)
    text.write_text("hello")

    assert TlsFiles(chain, key).read() == (chain.read_bytes(), key.read_bytes(), None)
    for pair in ((chain, other), (key, chain), (chain, chain), (text, key), (chain, text)):
        with pytest.raises(TlsFileError, match="are not a certificate chain and its key"):
            TlsFiles(*pair).read()


def test_authorities_of_clients(tmp_path: Path) -> None:
    """They are read with the pair, and checked like it; a file that is gone is named."""
    chain, key, authority, missing = (tmp_path / name for name in ("chain", "key", "authority", "missing"))
    issuer = trustme.CA()
    issued = issuer.issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(chain)
    issued.private_key_pem.write_to_path(key)
    issuer.cert_pem.write_to_path(authority)

    assert TlsFiles(chain, key, authority).read().client_ca == issuer.cert_pem.bytes()
    with pytest.raises(TlsFileError, match="has no certificates in PEM"):
        TlsFiles(chain, key, key).read()
    with pytest.raises(TlsFileError, match="missing' cannot be read: No such file"):
        TlsFiles(chain, key, missing).read()
