"""Filters of events, from the requests of subscribers."""

from __future__ import annotations

from typing import NamedTuple

from milepost.server.log.frames import filter_frames, without_superseded
from milepost.v1 import Delivery, Event, EventFilter

# The stage id of each payload that belongs to a stage.
_STAGE_ID = {
    "stage_progressed": lambda event: event.stage_progressed.stage_id,
    "stage_started": lambda event: event.stage_started.stage.stage_id,
    "stage_ended": lambda event: event.stage_ended.stage_id,
    "log_written": lambda event: event.log_written.stage_id,
    "artifact_added": lambda event: event.artifact_added.artifact.stage_id,
}


class FrameFilter(NamedTuple):
    """Filters serialised events. Streams with equal filters share the responses made for them."""

    payloads: frozenset[str] = frozenset()
    stage_ids: frozenset[str] = frozenset()
    latest: bool = False

    def __call__(self, frames: bytes) -> bytes:
        """The frames that pass; of progress, with LATEST, only the newest of each stage (rule 8)."""
        if self.payloads or self.stage_ids:
            frames = filter_frames(frames, self._passes)
        if self.latest:
            frames = without_superseded(frames, set())
        return frames

    def _passes(self, event: Event) -> bool:
        name = event.WhichOneof("payload") or ""
        if self.payloads and name not in self.payloads:
            return False
        if self.stage_ids and name in _STAGE_ID:
            stage_id = _STAGE_ID[name](event)
            return not stage_id or stage_id in self.stage_ids
        return True


def frame_filter(events: EventFilter, delivery: Delivery.ValueType) -> FrameFilter | None:
    """The filter of a request; None if all events pass."""
    latest = delivery == Delivery.DELIVERY_LATEST
    made = FrameFilter(frozenset(events.payloads), frozenset(events.stage_ids), latest)
    return None if made == FrameFilter() else made
