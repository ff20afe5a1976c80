"""Which events a subscriber is shown."""

from __future__ import annotations

from typing import NamedTuple

from milepost.server.log.frames import filter_frames, without_superseded
from milepost.v1 import Delivery, Event, EventFilter

# The field of each payload that names the stage that the event is of.
_STAGE_OF = {
    "stage_progressed": lambda event: event.stage_progressed.stage_id,
    "stage_started": lambda event: event.stage_started.stage.stage_id,
    "stage_ended": lambda event: event.stage_ended.stage_id,
    "log_written": lambda event: event.log_written.stage_id,
    "artifact_added": lambda event: event.artifact_added.artifact.stage_id,
}


class EventView(NamedTuple):
    """What a subscriber asked to be shown. Views that are equal share what is made for them."""

    payloads: frozenset[str] = frozenset()
    stage_ids: frozenset[str] = frozenset()
    latest: bool = False

    def __call__(self, frames: bytes) -> bytes:
        """The frames of these that are shown; of progress, with LATEST, only the newest of each stage (rule 8)."""
        if self.payloads or self.stage_ids:
            frames = filter_frames(frames, self._shows)
        if self.latest:
            frames = without_superseded(frames, set())
        return frames

    def _shows(self, event: Event) -> bool:
        name = event.WhichOneof("payload") or ""
        if self.payloads and name not in self.payloads:
            return False
        if self.stage_ids and name in _STAGE_OF:
            stage_id = _STAGE_OF[name](event)
            return not stage_id or stage_id in self.stage_ids
        return True


def view_of(wanted: EventFilter, delivery: Delivery.ValueType) -> EventView:
    """The view that a request asks for."""
    latest = delivery == Delivery.DELIVERY_LATEST
    return EventView(frozenset(wanted.payloads), frozenset(wanted.stage_ids), latest)
