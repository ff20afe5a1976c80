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
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import structlog

from milepost.server.rpc.call_starts import LONGEST_REST
from milepost.server.rpc.metadata_limit import METADATA_SIZE, Metadata, metadata_size
from milepost.server.scheduling.callers import host_of

_logger = structlog.get_logger("milepost.server")

FLOOD_SIZE: Final = 4 << 20
"""Metadata above its limit, in bytes, of calls of a host that were refused or left before, from which on it floods."""

LEFT_CALLS: Final = 2_000
"""Calls of one connection that are left within ``LEFT_TIME``, from which on its host floods: twice what it may have
open (``CONCURRENT_STREAMS``). Whoever gives all of them up, and those that it opens in their place, is no flood."""

LEFT_TIME: Final = 0.1
"""Seconds since the server has got to a call, within which a flood leaves it."""

FLOOD_PERIOD: Final = 5.0
"""Seconds in which these bytes or calls come, and after which the host gets connections again."""

RETRY_TIME: Final = 0.5
"""Seconds after which the barrier is tried again within a period, such as where the kernel had no memory for it."""


class Barrier(Protocol):
    """Keeps hosts out; see ``runtime.flood_barrier``."""

    def refuse(self, hosts: Iterable[str]) -> bool:
        """Take no further connection from these hosts; from all others again. Return whether that is so now."""

    def hang_up(self, peer: str) -> None:
        """End the connection of this peer."""


class Floods:
    """Counts what floods are made of, and has the barrier keep out hosts that flood.

    Each period begins from zero, so in each a flood gets through with ``FLOOD_SIZE``, or ``LEFT_CALLS`` of each
    connection, and with what is under way by then. Peers are as gRPC names them; it does not know that of each call
    that has ended before the server got to it, and such calls do not count.
    """

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier
        self._is_counting = False
        self._sizes: Counter[str] = Counter()
        self._left: Counter[str] = Counter()  # by peer, as no connection has more calls open than it may
        self._flooding: set[str] = set()
        self._next_look = 0.0  # at the metadata of a call that was left
        self._must_let_in = False
        # The next attempt to keep them out, where the last one failed.
        self._trying: asyncio.TimerHandle | None = None

    def note_metadata(self, peer: str, size: int) -> None:
        """A call of this peer with so many bytes of metadata was refused, or left before it began."""
        if not peer:
            return
        self._count()
        host = host_of(peer)
        self._sizes[host] += size
        if self._sizes[host] > FLOOD_SIZE:
            self._keep_out(host, peer, "host floods with metadata")

    def note_left(self, peer: str, seconds: float) -> None:
        """A peer has left a call, so many seconds after the server got to it."""
        if not peer or seconds > LEFT_TIME:
            return
        self._count()
        self._left[peer] += 1
        if self._left[peer] > LEFT_CALLS:
            self._keep_out(host_of(peer), peer, "host floods with calls that it leaves")

    def note_left_waiting(self, peer: str, seconds: float, metadata: Callable[[], Metadata]) -> None:
        """A peer has left a call that has waited so many seconds to begin (``call_starts``).

        gRPC had its metadata in memory, too. It takes many milliseconds to know how much if it was a lot, and a flood
        leaves many calls in a pass. So nobody asks once the host floods, nor until the event loop has been free for as
        long as the last answer took.
        """
        loop = asyncio.get_running_loop()
        asked = loop.time()
        if asked >= self._next_look and host_of(peer) not in self._flooding:
            size = metadata_size(metadata())
            answered = loop.time()
            self._next_look = answered + min(answered - asked, LONGEST_REST)
            if size > METADATA_SIZE:
                self.note_metadata(peer, size)
        self.note_left(peer, seconds)

    def _count(self) -> None:
        if not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_later(FLOOD_PERIOD, self._begin_period)

    def _keep_out(self, host: str, peer: str, event: str) -> None:
        if host not in self._flooding:
            self._flooding.add(host)
            self._must_let_in = True
            is_out = self._refuse()
            _logger.warning(event, host=host, seconds_without_connections=FLOOD_PERIOD if is_out else 0.0)
        self._barrier.hang_up(peer)

    def _refuse(self) -> bool:
        """Have the barrier keep out those that flood, now or soon; whether it does now."""
        is_out = self._barrier.refuse(self._flooding)
        if is_out:
            self._stop_trying()
        elif self._trying is None:
            self._trying = asyncio.get_running_loop().call_later(RETRY_TIME, self._try_again)
        return is_out

    def _try_again(self) -> None:
        self._trying = None
        if self._refuse():
            _logger.warning("flooding hosts are kept out now", hosts=len(self._flooding))

    def _stop_trying(self) -> None:
        if self._trying is not None:
            self._trying.cancel()
            self._trying = None

    def _begin_period(self) -> None:
        self._is_counting = False
        self._sizes.clear()
        self._left.clear()
        self._flooding.clear()
        self._stop_trying()
        if self._must_let_in:
            self._must_let_in = not self._barrier.refuse(self._flooding)
            if self._must_let_in:  # try again when this period ends
                self._count()
