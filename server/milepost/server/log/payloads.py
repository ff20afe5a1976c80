"""Sets of event payloads as bit masks, which a store can keep and compare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from milepost.v1 import Event

ANY_PAYLOAD: Final = -1
"""The mask of all payloads; also of commits from before masks were stored."""

_BITS: Final = {field.name: 1 << field.number for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields}


def mask_of(names: Iterable[str]) -> int:
    """The mask of payloads given by their field names; a name that is not known here has no bit."""
    mask = 0
    for name in names:
        mask |= _BITS.get(name, 0)
    return mask


def payloads_of(events: Iterable[Event]) -> int:
    """The mask of the payloads of events."""
    return mask_of(event.WhichOneof("payload") or "" for event in events)
