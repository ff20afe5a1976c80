"""The syntax of a server's address."""

from __future__ import annotations

__all__ = ["is_address"]


def is_address(value: object) -> bool:
    """Whether this is ``host:port``, or has one of gRPC's schemes. gRPC itself takes a URL for the name of a host."""
    if not isinstance(value, str):
        return False
    if value.startswith(("unix:", "dns:", "ipv4:", "ipv6:")):
        return True
    host, _, port = value.rpartition(":")
    return host != "" and "/" not in host and port.isdecimal() and 0 < int(port) < 65_536
