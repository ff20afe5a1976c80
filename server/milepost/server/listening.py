"""Where the server is to listen, and with which certificate; checked here, since gRPC says little of what is wrong."""

from __future__ import annotations

import ssl
from pathlib import Path

import click


def address(told: str) -> str:
    """``host:port``; gRPC would take port 99999 for another one. Raises click.BadParameter."""
    host, _, port = told.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{told!r} is not host:port, with a port of 0 to 65535.")
    return told


def check_pair(certificate: Path, key: Path) -> None:
    """Whether these are a certificate chain and its key. Raises click.ClickException."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=str)
    except ssl.SSLError as error:
        raise click.ClickException(
            f"{str(certificate)!r} and {str(key)!r} are no certificate chain and its key, in PEM without a password."
        ) from error
