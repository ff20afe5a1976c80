"""Rates of principals: token buckets, on a clock that does not jump."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

BURST: Final = 10.0
"""Seconds of its rate that a principal may use at once after a pause: thousands of watches reconnect together."""

PRINCIPALS_LIMIT: Final = 10_000
"""Principals whose rates are known; one that was inactive for longest starts afresh when it comes back."""


class Rate:
    """A token bucket, kept as one number: the time at which what was used is paid off."""

    __slots__ = ("_paid_until",)

    def __init__(self) -> None:
        self._paid_until = 0.0

    def excess(self, now: float) -> float:
        """For how many seconds nothing more may be used; 0 if something may."""
        return max(0.0, self._paid_until - now - BURST)

    def is_ahead(self, now: float) -> bool:
        """Whether more was used than the average of the rate until now."""
        return self._paid_until > now

    def use(self, count: int, per_second: int, now: float) -> None:
        """Use so much, whether there is room for it or not."""
        self._paid_until = max(self._paid_until, now) + count / per_second

    def used(self, per_second: int, now: float) -> int:
        """The used part of the burst: ``BURST`` seconds of the rate."""
        return round(max(0.0, self._paid_until - now) * per_second)


class Rates(NamedTuple):
    """The rates of one principal."""

    requests: Rate
    events: Rate


class RateTable:
    """The rates of the principals that were active last, by subject."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic`` returns the time in seconds."""
        self.now = monotonic
        self._rates: OrderedDict[str, Rates] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rates)

    def of(self, subject: str) -> Rates:
        """The rates of a principal, which is now the last active one."""
        rates = self._rates.get(subject)
        if rates is None:
            rates = self._rates[subject] = Rates(Rate(), Rate())
            if len(self._rates) > PRINCIPALS_LIMIT:
                self._rates.popitem(last=False)
        else:
            self._rates.move_to_end(subject)
        return rates
