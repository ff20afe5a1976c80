"""How many watches there may be: of each caller, so that none takes what is everybody's, and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from milepost.server.rpc.refusal import Refusal
from milepost.v1 import ErrorReason


class Admission:
    """Counts the open watches."""

    def __init__(self, most: int, most_per_caller: int) -> None:
        self._most = most
        self._most_per_caller = most_per_caller
        self._open: Counter[str] = Counter()

    @contextmanager
    def admit(self, peer: str) -> Iterator[None]:
        """Counts a watch of this peer, as gRPC names it, for as long as it is open. Raises LIMIT_REACHED.

        All connections from one host are one caller.
        """
        caller = peer.rpartition(":")[0]
        if self._open.total() >= self._most:
            raise _limit_reached("the server", "max-watches", self._most)
        if self._open[caller] >= self._most_per_caller:
            raise _limit_reached("this caller", "max-watches-per-caller", self._most_per_caller)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]


def _limit_reached(who: str, name: str, most: int) -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"There are {most:,} open watches of {who} already. Close some, or raise --{name}.",
        metadata={"limit": name},
        retry_delay=5.0,
    )
