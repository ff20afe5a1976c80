"""Which events a watch yields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from milepost.client._arguments import build_request
from milepost.v1 import Delivery, Event, EventFilter

__all__ = ["ALL_EVENTS", "EventSelection"]


@dataclass(frozen=True)
class EventSelection:
    """The events that a watch yields; the server filters out the others as far as it can.

    Attributes:
        payloads: Names of payloads; empty for all.
        stages: Ids of stages whose events to yield, besides events that belong to no stage; empty for all.
        latest_progress: Yield only the newest progress of each stage (rule 8).
    """

    payloads: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    latest_progress: bool = False

    @classmethod
    def of(cls, payloads: Iterable[str], stages: Iterable[str], latest_progress: bool) -> Self:
        """The selection that these arguments mean.

        Raises:
            TypeError: `payloads` or `stages` is not a list of texts.
        """
        request = build_request(EventFilter, payloads=payloads, stage_ids=stages)
        return cls(frozenset(request.payloads), frozenset(request.stage_ids), latest_progress)

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves out any events."""
        return bool(self.payloads or self.stages or self.latest_progress)

    @property
    def delivery(self) -> Delivery.ValueType:
        """The `delivery` of a request."""
        return Delivery.DELIVERY_LATEST if self.latest_progress else Delivery.DELIVERY_UNSPECIFIED

    def filter(self, *extra_payloads: str) -> EventFilter | None:
        """The `filter` of a request, which also passes `extra_payloads`; None to pass everything."""
        if not self.payloads and not self.stages:
            return None
        payloads = sorted(self.payloads.union(extra_payloads)) if self.payloads else ()
        return EventFilter(payloads=payloads, stage_ids=sorted(self.stages))

    def includes(self, event: Event) -> bool:
        """Whether the caller asked for this event, which the SDK may have requested for its own use."""
        return not self.payloads or event.WhichOneof("payload") in self.payloads


ALL_EVENTS = EventSelection()
"""The selection of a watch without a filter."""
