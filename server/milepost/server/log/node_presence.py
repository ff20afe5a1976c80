"""What nodes tell each other of workers outside the log, since nobody need know it tomorrow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from milepost.v1 import ConnectedWorker

__all__ = ["ALWAYS", "Alone", "Heard", "Others", "Presence"]


class Presence(Protocol):
    """Takes it in; where it comes from another node, and where it goes to the others."""

    def heard(self, job_ids: Iterable[str]) -> None:
        """The workers of these jobs were heard from."""

    def connected(self, instance: str) -> None:
        """That run of a worker has connected: where it seems to be besides, it is not any more."""

    def workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """These workers are connected, as of now; those of these sessions are not any more."""

    def ask(self) -> None:
        """Who is connected is to be told with ``workers``."""


class Heard(NamedTuple):
    """A time without a break, up to now as far as is known, in which a node could hear the others."""

    began: float
    """How many seconds ago it began."""
    proved: float
    """How many seconds ago it was last proved that it goes on."""


ALWAYS: Final = Heard(math.inf, 0.0)


class Others(Presence, Protocol):
    """The other nodes, as this one reaches them."""

    def contact(self) -> Heard | None:
        """When this node could hear what they say; None where it is cut off.

        Whoever was not heard from before, or is not since, may well have been heard by others.
        """


class Alone:
    """There are no other nodes to tell."""

    def heard(self, job_ids: Iterable[str]) -> None:
        """See ``Presence``."""

    def connected(self, instance: str) -> None:
        """See ``Presence``."""

    def workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """See ``Presence``."""

    def ask(self) -> None:
        """See ``Presence``."""

    def contact(self) -> Heard | None:
        """See ``Others``: nobody speaks that could not be heard."""
        return ALWAYS
