"""Worker presence shared between nodes outside the log: it changes by the second, and nobody needs it tomorrow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from milepost.v1 import ConnectedWorker

__all__ = ["ALWAYS_IN_CONTACT", "ContactPeriod", "NoPeers", "Peers", "Presence"]


class Presence(Protocol):
    """Receiver of presence reports: this node for those of its peers, and the peers for those of this node."""

    def renew_leases(self, job_ids: Iterable[str]) -> None:
        """The workers of these jobs have been heard from."""

    def worker_connected(self, instance: str) -> None:
        """This instance of a worker has connected, so it is no longer connected anywhere else."""

    def update_workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """Merge workers that are connected now, and remove those of the sessions that ended."""

    def request_workers(self) -> None:
        """Ask the receiver to report all of its connected workers with ``update_workers``."""


class ContactPeriod(NamedTuple):
    """An unbroken period in which a node could hear its peers; it lasts until now, as far as the node knows."""

    began: float
    """Seconds since it began."""
    proved: float
    """Seconds since the last proof that it lasts."""


ALWAYS_IN_CONTACT: Final = ContactPeriod(math.inf, 0.0)


class Peers(Presence, Protocol):
    """The other nodes, as this one reaches them."""

    def contact(self) -> ContactPeriod | None:
        """Return the current period of contact; None while this node is cut off.

        A worker that was silent before the period, or after its last proof, may have been heard by other nodes.
        """


class NoPeers:
    """The ``Peers`` of a node that shares its store with no other."""

    def renew_leases(self, job_ids: Iterable[str]) -> None:
        """See ``Presence``."""

    def worker_connected(self, instance: str) -> None:
        """See ``Presence``."""

    def update_workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """See ``Presence``."""

    def request_workers(self) -> None:
        """See ``Presence``."""

    def contact(self) -> ContactPeriod | None:
        """See ``Peers``: there is nobody to lose contact with."""
        return ALWAYS_IN_CONTACT
