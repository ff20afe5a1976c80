"""Hosts that flood the server are kept out for a while: they cost it far more than they send.

*Metadata* above the limit: gRPC's core keeps it until the server gets to the call, also where the connection has ended,
and each further call and connection brings more. *Calls that are left at once*: a client may reset a call in the packet
that opens it, and open the next one, so that no bound on open calls holds it up (HTTP/2 rapid reset, CVE-2023-44487);
each costs a quarter of a millisecond. So such a host gets no further connection until the period is over, and loses
those that it floods.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final, Protocol

import structlog

from milepost.server.scheduling.callers import host_of

_log = structlog.get_logger("milepost.server")

FLOOD_SIZE: Final = 4 << 20
"""Refused metadata of a host, in bytes, from which on it floods."""

LEFT_CALLS: Final = 1_000
"""Calls of a host that it leaves within ``LEFT_TIME``, from which on it floods."""

LEFT_TIME: Final = 0.1
"""Seconds since the server has got to a call. Applications do not lose interest in so many calls so soon."""

FLOOD_PERIOD: Final = 5.0
"""Seconds in which these bytes or calls come, and after which the host gets connections again."""


class Barrier(Protocol):
    """Keeps hosts out; see ``runtime.flood_barrier``."""

    def refuse(self, hosts: Iterable[str]) -> None:
        """Take no further connection from these hosts; from all others again."""

    def hang_up(self, peer: str) -> None:
        """End the connection of this peer."""


class Floods:
    """Counts by host what floods are made of, and has the barrier keep out hosts that flood.

    Each period begins from zero, so in each a flood gets through with ``FLOOD_SIZE`` or ``LEFT_CALLS``, and with what
    is under way by then.
    """

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier
        self._is_counting = False
        self._sizes: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self._flooding: set[str] = set()

    def note_metadata(self, peer: str, size: int) -> None:
        """A call with so many bytes of metadata was refused, of a peer as gRPC names it."""
        host = self._host(peer)
        self._sizes[host] += size
        if self._sizes[host] > FLOOD_SIZE:
            self._keep_out(host, peer, "host floods with metadata")

    def note_left(self, peer: str, seconds: float) -> None:
        """A peer has left a call, so many seconds after the server got to it."""
        if seconds > LEFT_TIME:
            return
        host = self._host(peer)
        self._left[host] += 1
        if self._left[host] > LEFT_CALLS:
            self._keep_out(host, peer, "host floods with calls that it leaves")

    def _host(self, peer: str) -> str:
        if not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_later(FLOOD_PERIOD, self._begin_period)
        return host_of(peer)

    def _keep_out(self, host: str, peer: str, event: str) -> None:
        if host not in self._flooding:
            self._flooding.add(host)
            self._barrier.refuse(self._flooding)
            _log.warning(event, host=host, seconds_without_connections=FLOOD_PERIOD)
        self._barrier.hang_up(peer)

    def _begin_period(self) -> None:
        self._is_counting = False
        self._sizes.clear()
        self._left.clear()
        if self._flooding:
            self._flooding.clear()
            self._barrier.refuse(self._flooding)
