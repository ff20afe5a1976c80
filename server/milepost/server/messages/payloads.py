"""Sets of event payloads as bit masks, which a store can save and compare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from milepost.v1 import Event

ANY_PAYLOAD: Final = -1
"""The mask of all payloads; also of commits from before masks were stored."""

_FIELDS: Final = Event.DESCRIPTOR.oneofs_by_name["payload"].fields
_BITS: Final = {field.name: 1 << field.number for field in _FIELDS}

# The bit of payloads from a newer node, which have no name here. Any of them may be a transition.
_UNKNOWN: Final = 1


def mask_of(names: Iterable[str]) -> int:
    """The mask of payloads given by their field names; unknown names are ignored."""
    mask = 0
    for name in names:
        mask |= _BITS.get(name, 0)
    return mask


def payloads_of(events: Iterable[Event]) -> int:
    """The mask of the payloads of events."""
    mask = 0
    for event in events:
        name = event.WhichOneof("payload")
        mask |= _UNKNOWN if name is None else _BITS[name]
    return mask


# All payloads that can change a job's lifecycle state: all but what a worker reports along the way.
_TRANSITIONS: Final = (_UNKNOWN | mask_of(_BITS)) & ~mask_of(
    (
        "stages_planned",
        "stage_started",
        "stage_progressed",
        "stage_ended",
        "log_written",
        "artifact_added",
        "custom",
        "cancel_acknowledged",
        "children_progressed",
    )
)
_ENDS: Final = mask_of(["job_ended"])

JOB_STARTED: Final = mask_of(["job_started"])
STAGE_PROGRESSED: Final = mask_of(["stage_progressed"])
LOG_WRITTEN: Final = mask_of(["log_written"])


def has_transition(payloads: int) -> bool:
    """Whether one of these payloads changes the job's lifecycle state."""
    return bool(payloads & _TRANSITIONS)


def has_end(payloads: int) -> bool:
    """Whether one of these payloads ends the job."""
    return bool(payloads & _ENDS)
