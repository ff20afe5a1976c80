"""Bind listening addresses, and say what is wrong where that fails."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command loads this module before it knows whether gRPC is needed
    import grpc
    import grpc.aio


def bind(
    server: grpc.aio.Server,
    address: str,
    credentials: grpc.ServerCredentials | None,
    option: str = "--address",
) -> str:
    """Let the server listen on ``host:port``, the value of ``option``; return it with the port that it took.

    Without credentials it speaks plain text. Raises OSError.
    """
    check_free(address, option)
    try:
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise cannot_listen(address, "gRPC cannot bind it, and has logged why", option) from error
    return f"{address.rpartition(':')[0]}:{port}"


def check_free(address: str, option: str = "--address") -> None:
    """Bind to ``host:port``, the value of ``option``, and release it again. Raises OSError with what is wrong.

    gRPC reports a failed bind only on stderr, in a line of its own.
    """
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise cannot_listen(address, "the host cannot be resolved", option) from error
    unavailable = 0
    for family, kind, protocol, _, socket_address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                # Connections of a server that has just ended do not block the address, for gRPC neither.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(socket_address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise cannot_listen(address, "the address is in use", option) from error
            if error.errno == errno.EADDRNOTAVAIL:
                unavailable += 1
            # Without IPv6 gRPC takes [::] for all addresses of IPv4.
            elif error.errno != errno.EAFNOSUPPORT:
                raise cannot_listen(address, error.strerror, option) from error
    if unavailable == len(found):
        raise cannot_listen(address, "the address is not this machine's", option)


def cannot_listen(address: str, why: str | None, option: str = "--address", otherwise: str = "") -> OSError:
    """The error for an address that the server cannot bind; ``otherwise`` is what else the option may be."""
    return OSError(
        f"Cannot listen on {address!r}: {why}. Name another one with {option}; port 0 takes a free one{otherwise}."
    )
