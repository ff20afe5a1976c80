"""Validate the listening address before the start, since gRPC's own errors say little."""

from __future__ import annotations

import ipaddress
import socket

import click

from milepost.server.runtime.listen_address import cannot_listen


def parse_address(value: str) -> str:
    """Validate ``host:port``; gRPC would take port 99999 for another port. Raises click.BadParameter."""
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{value!r} is not host:port, with a port of 0 to 65535.")
    return value


def is_loopback(address: str, name: str = "--address") -> bool:
    """Whether only this machine reaches ``host:port``, the value of the option with this name.

    Raises click.ClickException for a host that is not known.
    """
    host = address.rpartition(":")[0].strip("[]")
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise click.ClickException(
            str(cannot_listen(address, "the host cannot be resolved", name))
        ) from error
    return all(ipaddress.ip_address(str(socket_address[0])).is_loopback for *_, socket_address in found)
