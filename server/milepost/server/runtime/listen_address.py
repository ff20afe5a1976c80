"""Check that the listening address is free, and say what is wrong if it is not."""

from __future__ import annotations

import errno
import socket


def check_free(address: str) -> None:
    """Bind to ``host:port`` and release it again. Raises OSError with what is wrong.

    gRPC reports a failed bind only on stderr, in a line of its own.
    """
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise cannot_listen(address, "the host cannot be resolved") from error
    unavailable = 0
    for family, kind, protocol, _, socket_address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                # Connections of a server that has just ended do not block the address, for gRPC neither.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(socket_address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise cannot_listen(address, "the address is in use") from error
            if error.errno == errno.EADDRNOTAVAIL:
                unavailable += 1
            # Without IPv6 gRPC takes [::] for all addresses of IPv4.
            elif error.errno != errno.EAFNOSUPPORT:
                raise cannot_listen(address, error.strerror) from error
    if unavailable == len(found):
        raise cannot_listen(address, "the address is not this machine's")


def cannot_listen(address: str, why: str | None) -> OSError:
    """The error for an address that the server cannot bind."""
    return OSError(
        f"Cannot listen on {address!r}: {why}. Name another one with --address; port 0 takes a free one."
    )
