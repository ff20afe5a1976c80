"""Events as JSON, one after the other: the same text as ``message_json`` has, in a third of the time.

Events of a frame are mostly of one job, one attempt and one instant. What an event shares with the one before becomes
text once.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring  # does not escape letters beyond ASCII
from typing import Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.contract.message_json import json_writer
from milepost.v1 import Event
from milepost.web.progress_printing import ProgressPrinter

_event_json: Final = json_writer(Event)
_time_json: Final = json_writer(Timestamp)

_PAYLOADS: Final[dict[str, tuple[str, Callable[[Message], str]]]] = {
    field.name: (f'"{field.json_name}":', json_writer(type(getattr(Event(), field.name))))
    for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields
}
"""What each payload begins with, and how it is written."""


class EventPrinter:
    """Prints events. It keeps what the last one shares with the next."""

    def __init__(self) -> None:
        self._shared: tuple[str, int, int, int] | None = None
        self._before_sequence = ""
        self._after_sequence = ""
        self._payloads = dict(_PAYLOADS)
        name, _ = _PAYLOADS["stage_progressed"]
        self._payloads["stage_progressed"] = name, ProgressPrinter().print

    def print(self, event: Event, payload: str | None) -> str:
        """The event as JSON. ``payload`` is the name of its payload, None for one that this version does not know."""
        time = event.time
        shared = event.job_id, time.seconds, time.nanos, event.attempt
        if shared != self._shared:
            if not (event.job_id and event.HasField("time")):
                return _event_json(event)
            self._share(event)
            # A time of zero equals one that is absent.
            self._shared = shared if time.seconds else None
        sequence = event.sequence
        if payload is None or not sequence:
            return _event_json(event)
        name, write = self._payloads[payload]
        body = write(getattr(event, payload))
        return f"{self._before_sequence}{sequence}{self._after_sequence}{name}{body}}}"

    def _share(self, event: Event) -> None:
        """Keep the text of an event but for its sequence and payload, which stands between and after its parts.

        Each live event has a time of its own, so this is made for each.
        """
        attempt = f',"attempt":{event.attempt}' if event.attempt else ""
        # First what may raise: the text of one event and that of another are never mixed.
        self._after_sequence = f'","time":{_time_json(event.time)}{attempt},'
        self._before_sequence = f'{{"jobId":{encode_basestring(event.job_id)},"sequence":"'
