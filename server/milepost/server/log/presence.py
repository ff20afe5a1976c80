"""What nodes tell each other of workers outside the log, since nobody need know it tomorrow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

from milepost.v1 import ConnectedWorker

__all__ = ["Alone", "Others", "Presence"]


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


class Others(Presence, Protocol):
    """The other nodes, as this one reaches them."""

    def contact(self) -> float:
        """For how many seconds this node could hear what they say, without a break; 0 where it cannot.

        Whoever was not heard from before may have been heard by others.
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

    def contact(self) -> float:
        """See ``Others``: nobody speaks that could not be heard."""
        return math.inf
