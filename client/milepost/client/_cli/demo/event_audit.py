"""The account of a demo: what the subscriber saw, held against the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from milepost.v1 import Event

__all__ = ["Account"]


@dataclass(frozen=True)
class Account:
    """What a subscriber saw whose connection was cut, and the same log as a second, uncut subscriber saw it."""

    seen: Sequence[Event]
    log: Sequence[Event]
    cut_at: int
    """The last event that the subscriber had when its connection was lost."""
    resumed_at: int
    """The event after which the stream went on."""
    meanwhile: int
    """How many events lay in the log and not at the subscriber when the connection could come back."""

    @property
    def lost(self) -> int:
        """How many events of the log the subscriber did not see."""
        return len({event.sequence for event in self.log} - {event.sequence for event in self.seen})

    @property
    def doubled(self) -> int:
        """How many events it saw more than once."""
        return sum(count - 1 for count in Counter(event.sequence for event in self.seen).values())

    @property
    def complete(self) -> bool:
        """Whether the log is numbered 1, 2, 3 … to its ``job_ended``."""
        numbered = [event.sequence for event in self.log] == list(range(1, len(self.log) + 1))
        return numbered and bool(self.log) and self.log[-1].HasField("job_ended")

    @property
    def good(self) -> bool:
        """Whether it saw each event of a complete log once, in order and as it is, although it was cut off."""
        resumed = self.cut_at == self.resumed_at and 0 < self.cut_at < len(self.log)
        return self.complete and resumed and self.meanwhile > 0 and list(self.seen) == list(self.log)
