"""The server that a client talks to, and the client's credentials for it."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from milepost.client._arguments import check_flags, to_path
from milepost.client._transport.address_syntax import is_address
from milepost.client._transport.default_address import DEFAULT_ADDRESS
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.token_source import Token, TokenFile
from milepost.client.errors import InsecureToken

__all__ = ["FilePath", "Target"]

FilePath = str | os.PathLike[str]

_TRUE_VALUES: Final = frozenset({"1", "true", "t", "yes", "y", "on"})


@dataclass(frozen=True)
class Target:
    """Address of a server, and credentials for it.

    Attributes:
        address: Address as ``host:port``.
        token: Bearer token, or a callable that returns one; empty for none.
        tls: Whether to encrypt the connection.
        tls_ca: PEM file of trusted certificates; None for the system's.
        tls_cert: PEM file of the client's certificate; None for none.
        tls_key: PEM file of its private key.
        allow_plaintext_token: Whether a token may travel unencrypted beyond loopback.
    """

    address: str
    token: Token = field(repr=False)
    tls: bool
    tls_ca: Path | None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allow_plaintext_token: bool = False

    def __post_init__(self) -> None:
        if not (isinstance(self.token, str) or callable(self.token)):
            raise TypeError(f"token is of type {type(self.token).__name__}, and takes text or a callable.")
        if not is_address(self.address):
            raise ValueError(
                f"The address is HOST:PORT, such as {DEFAULT_ADDRESS}, and not {self.address!r}."
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("The certificate and its key go together: give both, tls_cert and tls_key.")

    @classmethod
    def of(
        cls,
        address: str | None,
        environment: Mapping[str, str] = os.environ,
        /,
        *,
        token: Token | None = None,
        tls: bool = False,
        tls_ca: FilePath | None = None,
        tls_cert: FilePath | None = None,
        tls_key: FilePath | None = None,
        allow_plaintext_token: bool = False,
        **unknown: object,
    ) -> Target:
        """The target of these arguments; variables of `environment` replace None and False.

        These are MILEPOST_ADDRESS, MILEPOST_TOKEN or MILEPOST_TOKEN_FILE, MILEPOST_TLS, MILEPOST_TLS_CA,
        MILEPOST_TLS_CLIENT_CERT, MILEPOST_TLS_CLIENT_KEY and MILEPOST_ALLOW_PLAINTEXT_TOKEN. A certificate implies TLS.
        """
        if unknown:
            # Callers pass on what they do not know themselves, so the text names neither them nor this method.
            raise TypeError(
                f"There is no option {min(unknown)!r}; help() of the class shows which there are."
            )
        check_flags(tls=tls, allow_plaintext_token=allow_plaintext_token)
        if token is None:
            token = environment.get("MILEPOST_TOKEN") or _token_file(environment) or ""
        if tls_cert is None and tls_key is None:
            tls_cert = environment.get("MILEPOST_TLS_CLIENT_CERT") or None
            tls_key = environment.get("MILEPOST_TLS_CLIENT_KEY") or None
        if tls_ca is None:
            tls_ca = environment.get("MILEPOST_TLS_CA") or None
        return cls(
            address if address is not None else environment.get("MILEPOST_ADDRESS") or DEFAULT_ADDRESS,
            token,
            tls or tls_ca is not None or tls_cert is not None or _is_on(environment, "MILEPOST_TLS"),
            _path(tls_ca, "tls_ca"),
            _path(tls_cert, "tls_cert"),
            _path(tls_key, "tls_key"),
            allow_plaintext_token or _is_on(environment, "MILEPOST_ALLOW_PLAINTEXT_TOKEN"),
        )

    def changed(
        self,
        *,
        address: str | None = None,
        token: Token | None = None,
        tls: bool | None = None,
        tls_ca: FilePath | None = None,
        tls_cert: FilePath | None = None,
        tls_key: FilePath | None = None,
        allow_plaintext_token: bool | None = None,
    ) -> Target:
        """This target with other values; None keeps a value. A CA file or a certificate implies TLS."""
        return Target(
            self.address if address is None else address,
            self.token if token is None else token,
            (self.tls if tls is None else tls) or tls_ca is not None or tls_cert is not None,
            self.tls_ca if tls_ca is None else Path(tls_ca),
            self.tls_cert if tls_cert is None else Path(tls_cert),
            self.tls_key if tls_key is None else Path(tls_key),
            self.allow_plaintext_token if allow_plaintext_token is None else allow_plaintext_token,
        )

    def check_token(self) -> None:
        """Raise InsecureToken if a token would travel unencrypted to anything but this machine, unless allowed."""
        if self.token and not (self.tls or self.is_local or self.allow_plaintext_token):
            raise InsecureToken(self.address)

    def tls_credentials(self) -> grpc.ChannelCredentials:
        """The credentials of an encrypted connection, which verify the server's name. Raises OSError."""
        ca, key, cert = (
            None if path is None else path.read_bytes() for path in (self.tls_ca, self.tls_key, self.tls_cert)
        )
        return grpc.ssl_channel_credentials(ca, key, cert)

    def tls_version(self) -> object:
        """A value that changes when a file of certificates is replaced."""
        paths = (self.tls_ca, self.tls_cert, self.tls_key)
        return tuple(_file_version(path) for path in paths if path is not None)

    def certificate_fits(self) -> bool:
        """Whether the client's certificate and its key belong together: their files are replaced one by one."""
        if self.tls_cert is None:
            return True
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(self.tls_cert, self.tls_key)
        except OSError:  # includes ssl.SSLError
            return False
        return True

    @property
    def is_local(self) -> bool:
        """Whether the address, or each of several, is on this machine."""
        scheme, _, rest = self.address.partition(":")
        if scheme in ("unix", "unix-abstract"):
            return True
        if scheme in ("ipv4", "ipv6"):
            return all(map(_is_loopback, rest.split(",")))
        return _is_loopback(rest.removeprefix("///") if scheme == "dns" else self.address)


def _file_version(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_on(environment: Mapping[str, str], variable: str) -> bool:
    return environment.get(variable, "").strip().lower() in _TRUE_VALUES


def _token_file(environment: Mapping[str, str]) -> TokenFile | None:
    path = environment.get("MILEPOST_TOKEN_FILE")
    return TokenFile(Path(path)) if path else None


def _path(path: FilePath | None, name: str) -> Path | None:
    return None if path is None else to_path(path, name)
