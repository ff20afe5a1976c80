"""Framing of a watch in a response: server-sent events, or lines of JSON.

Each frame, and each event of a frame of events, is one record: its name, its data, and an id, which is the place to
resume from.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Framing(NamedTuple):
    """The text around the data of a record."""

    media_type: str
    name: str
    """Before the name of the record."""
    place: str
    """Between the name and the id, which is the place to resume from."""
    data: str
    """Before the data."""
    end: str
    """After the data."""

    def prefix(self, name: str, place: str = "") -> str:
        """The text before the data of a record. A record without a place cannot be resumed after."""
        return self.name + name + (self.place + place if place else "") + self.data


SSE: Final = Framing("text/event-stream", "event: ", "\nid: ", "\ndata: ", "\n\n")
"""https://html.spec.whatwg.org/multipage/server-sent-events.html"""

NDJSON: Final = Framing("application/x-ndjson", '{"event":"', '","id":"', '","data":', "}\n")
"""One object a line: ``{"event": …, "id": …, "data": …}``."""
