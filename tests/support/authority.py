"""Certificates of an authority of the tests, as files that a server reads."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import grpc
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.support.replacing import replace

LOOPBACK = "127.0.0.1"


class Authority:
    """Issues certificates."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self._ca.cert_pem.bytes()

    def issue(self, *names: str, expired: bool = False) -> trustme.LeafCert:
        """Issue a certificate for DNS names or addresses; ``expired`` an hour ago."""
        if not expired:
            return self._ca.issue_cert(*names)
        now, hour = datetime.datetime.now(datetime.UTC), datetime.timedelta(hours=1)
        return self._ca.issue_cert(*names, not_before=now - 2 * hour, not_after=now - hour)

    def issue_uri(self, uri: str, *, seconds: float = 3600) -> trustme.LeafCert:
        """Issue a certificate with a URI, as SPIFFE has it, that is valid for so many seconds."""
        issuer = x509.load_pem_x509_certificate(self.pem)
        signer = load_pem_private_key(self._ca.private_key_pem.bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(seconds=seconds))
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=True)
            .sign(signer, hashes.SHA256())
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return trustme.LeafCert(private, made.public_bytes(Encoding.PEM), [])

    def channel_credentials(self, client: trustme.LeafCert | None = None) -> grpc.ChannelCredentials:
        """Credentials of a client that trusts this authority, and shows a certificate."""
        if client is None:
            return grpc.ssl_channel_credentials(self.pem)
        return grpc.ssl_channel_credentials(self.pem, client.private_key_pem.bytes(), chain_of(client))


class ServerFiles:
    """The files of a server's TLS in a directory; ``options`` are those of ``milepost serve``."""

    def __init__(self, directory: Path, authority: Authority, clients: Authority | None = None) -> None:
        self.certificate, self.key = directory / "cert.pem", directory / "key.pem"
        self.client_ca = directory / "clients.pem"
        self.options = ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]
        self.renew(authority)
        if clients is not None:
            replace(self.client_ca, clients.pem)
            self.options += ["--tls-client-ca", str(self.client_ca)]

    def renew(self, authority: Authority, *names: str) -> None:
        """Replace certificate and key by new ones, one file after the other."""
        issued = authority.issue(*(names or (LOOPBACK,)))
        replace(self.certificate, chain_of(issued))
        replace(self.key, issued.private_key_pem.bytes())


class ClientFiles:
    """The files of a client's TLS in a directory of its own; ``options`` are arguments of the SDK."""

    def __init__(self, directory: Path, authority: Authority, shown: trustme.LeafCert) -> None:
        directory.mkdir()
        self.ca, self.cert, self.key = (directory / name for name in ("ca.pem", "cert.pem", "key.pem"))
        self.ca.write_bytes(authority.pem)
        self.renew(shown)
        self.options: dict[str, Any] = {"tls_ca": self.ca, "tls_cert": self.cert, "tls_key": self.key}

    def renew(self, shown: trustme.LeafCert) -> None:
        """Replace certificate and key."""
        replace(self.cert, chain_of(shown))
        replace(self.key, shown.private_key_pem.bytes())

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """The same for a channel of gRPC."""
        return grpc.ssl_channel_credentials(
            self.ca.read_bytes(), self.key.read_bytes(), self.cert.read_bytes()
        )


def chain_of(certificate: trustme.LeafCert) -> bytes:
    """The certificate with those between it and its authority."""
    return b"".join(part.bytes() for part in certificate.cert_chain_pems)
