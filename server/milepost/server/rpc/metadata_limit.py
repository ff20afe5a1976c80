"""The limit on the metadata of a call; hosts that flood the server with more are kept out.

gRPC's core holds to the limit as soon as the client has acknowledged the server's settings; until then it takes up to
16 MiB, and refuses some of what is above the limit at random. Those calls the server refuses itself, first of all,
since they may have thousands of fields. But core keeps their metadata until the server gets to them, also where the
connection has ended, and each further call and connection brings more. So a host that sends much of it gets no further
connection for a while, and loses those that it sends it on.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final, Protocol

import structlog

from milepost.server.base.refusal import Refusal
from milepost.server.scheduling.callers import host_of
from milepost.v1 import ErrorReason

_log = structlog.get_logger("milepost.server")

METADATA_SIZE: Final = 8 << 10
"""Metadata of a call in bytes, by the count of HTTP/2: names, values, and 32 for each."""

FLOOD_SIZE: Final = 4 << 20
"""Refused metadata of a host, in bytes, from which on it floods."""

FLOOD_PERIOD: Final = 5.0
"""Seconds in which these bytes come, and after which the host gets connections again."""

_FIELD_COST: Final = 32


def metadata_size(metadata: Iterable[tuple[str, str | bytes]]) -> int:
    """The size of the metadata of a call; see ``METADATA_SIZE``."""
    return sum([len(name) + len(value) + _FIELD_COST for name, value in metadata])


def too_large(size: int) -> Refusal:
    """The refusal of a call with metadata of this size."""
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"The call has {size:,} bytes of metadata, of which {METADATA_SIZE:,} are allowed. Send less.",
        metadata={"limit": "metadata"},
    )


class Barrier(Protocol):
    """Keeps hosts out; see ``runtime.flood_barrier``."""

    def refuse(self, hosts: Iterable[str]) -> None:
        """Take no further connection from these hosts; from all others again."""

    def hang_up(self, peer: str) -> None:
        """End the connection of this peer."""


class MetadataFloods:
    """Counts refused metadata by host, and has the barrier keep out hosts that flood.

    Each period begins from zero, so in each a flood gets through with ``FLOOD_SIZE``, and with what is under way by
    then.
    """

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier
        self._sizes: Counter[str] = Counter()
        self._flooding: set[str] = set()

    def note(self, peer: str, size: int) -> None:
        """A call with so many bytes of metadata was refused, of a peer as gRPC names it."""
        host = host_of(peer)
        if not self._sizes:
            asyncio.get_running_loop().call_later(FLOOD_PERIOD, self._begin_period)
        self._sizes[host] += size
        if self._sizes[host] > FLOOD_SIZE and host not in self._flooding:
            self._flooding.add(host)
            self._barrier.refuse(self._flooding)
            _log.warning("host floods with metadata", host=host, seconds_without_connections=FLOOD_PERIOD)
        if host in self._flooding:
            self._barrier.hang_up(peer)

    def _begin_period(self) -> None:
        self._sizes.clear()
        if self._flooding:
            self._flooding.clear()
            self._barrier.refuse(self._flooding)
