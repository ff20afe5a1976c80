"""Framing of a watch in a response: server-sent events, or lines of JSON.

Each frame, and each event of a frame of events, is one record: its name, its data, and the id to
resume after.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Framing(NamedTuple):
    """The text around the data of a record."""

    media_type: str
    name: str
    """Before the name of the record."""
    id_field: str
    """Between the name and the id."""
    data: str
    """Before the data."""
    end: str
    """After the data."""

    def prefix(self, name: str, event_id: str = "") -> str:
        """The text before the data of a record. A record without an id cannot be resumed after."""
        return self.name + name + (self.id_field + event_id if event_id else "") + self.data


SSE: Final = Framing("text/event-stream", "event: ", "\nid: ", "\ndata: ", "\n\n")
"""https://html.spec.whatwg.org/multipage/server-sent-events.html"""

NDJSON: Final = Framing("application/x-ndjson", '{"event":"', '","id":"', '","data":', "}\n")
"""One object a line: ``{"event": …, "id": …, "data": …}``."""
