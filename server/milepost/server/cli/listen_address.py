"""Where the server is to listen, and with which certificate; checked here, since gRPC says little of what is wrong."""

from __future__ import annotations

import errno
import socket
import ssl
from pathlib import Path

import click


def address(told: str) -> str:
    """``host:port``; gRPC would take port 99999 for another one. Raises click.BadParameter."""
    host, _, port = told.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{told!r} is not host:port, with a port of 0 to 65535.")
    return told


def check_free(told: str) -> None:
    """Whether one could listen at ``host:port`` just now. Raises OSError with what is wrong.

    gRPC would say that in a line of its own on stderr, as it does of an address that is taken in between.
    """
    host, _, port = told.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise cannot_listen(told, "the host cannot be resolved") from error
    elsewhere = 0
    for family, kind, protocol, _, place in found:
        try:
            with socket.socket(family, kind, protocol) as tried:
                # Connections of a server that has just ended are not in the way, nor are they in gRPC's.
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(place)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise cannot_listen(told, "the address is in use") from error
            if error.errno == errno.EADDRNOTAVAIL:
                elsewhere += 1
            elif error.errno != errno.EAFNOSUPPORT:  # for all addresses of IPv6 gRPC then takes those of IPv4
                raise cannot_listen(told, error.strerror) from error
    if elsewhere == len(found):
        raise cannot_listen(told, "the address is not this machine's")


def cannot_listen(told: str, why: str | None) -> OSError:
    """What to raise where the address cannot be had."""
    return OSError(
        f"Cannot listen on {told!r}: {why}. Name another one with --address; port 0 takes a free one."
    )


def check_pair(certificate: Path, key: Path) -> None:
    """Whether these are a certificate chain and its key. Raises click.ClickException."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=str)
    except ssl.SSLError as error:
        raise click.ClickException(
            f"{str(certificate)!r} and {str(key)!r} are no certificate chain and its key, in PEM without a password."
        ) from error
