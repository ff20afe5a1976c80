"""What a watch is to be shown of jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from milepost.v1 import Delivery, Event, EventFilter

__all__ = ["EVERYTHING", "EventSelection"]


@dataclass(frozen=True)
class EventSelection:
    """What is shown; the rest is hidden, by the server as far as it can.

    Attributes:
        payloads: The names of payloads; none for all.
        stages: The ids of stages whose events are shown, beside those that are of no stage; none for all.
        latest_progress: Of each stage only the newest progress at a time (rule 8).
    """

    payloads: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    latest_progress: bool = False

    @classmethod
    def of(cls, payloads: Iterable[str], stages: Iterable[str], latest_progress: bool) -> Self:
        """From arguments."""
        for name, values in (("payloads", payloads), ("stages", stages)):
            if isinstance(values, str):
                raise TypeError(f"{name} is to be a collection of names, not the text {values!r}.")
        return cls(frozenset(payloads), frozenset(stages), latest_progress)

    @property
    def hides(self) -> bool:
        """Whether anything is hidden at all."""
        return bool(self.payloads or self.stages or self.latest_progress)

    @property
    def delivery(self) -> Delivery.ValueType:
        """As a request has it."""
        return Delivery.DELIVERY_LATEST if self.latest_progress else Delivery.DELIVERY_UNSPECIFIED

    def filter(self, *besides: str) -> EventFilter | None:
        """As a request has it, with these payloads besides; None for everything."""
        if not self.payloads and not self.stages:
            return None
        payloads = sorted(self.payloads.union(besides)) if self.payloads else ()
        return EventFilter(payloads=payloads, stage_ids=sorted(self.stages))

    def shows(self, event: Event) -> bool:
        """Whether an event that the server sent was asked for, and not only needed by the SDK itself."""
        return not self.payloads or event.WhichOneof("payload") in self.payloads


EVERYTHING = EventSelection()
