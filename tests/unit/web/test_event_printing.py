"""Events that are printed one after the other have the JSON that each has by itself."""

from __future__ import annotations

import itertools

from google.protobuf.timestamp_pb2 import Timestamp

from milepost.contract.message_json import json_text
from milepost.v1 import Event, LogWritten, StageProgressed
from milepost.web.event_printing import EventPrinter


def _with_payload(name: str) -> Event:
    event = Event()
    getattr(event, name).SetInParent()
    return event


# Payloads of all kinds, none, and one of a later version.
_PAYLOADS = [
    *(_with_payload(field.name) for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields),
    Event(),
    Event.FromString(b"\xfa\x3e\x00"),
    Event(log_written=LogWritten(text='"quoted"\n\u2028')),
    Event(stage_progressed=StageProgressed(stage_id="s", current=0.5)),
]

_JOBS = ("", "j", 'a "job"')
_SEQUENCES = (0, 1, 2**53)
_TIMES = (None, Timestamp(), Timestamp(seconds=5), Timestamp(seconds=5, nanos=7))
_ATTEMPTS = (0, 1, 2)


def test_all_kinds() -> None:
    """Whatever an event shares with the one before it, and whatever is not set in it."""
    printer = EventPrinter()
    for values in itertools.product(_JOBS, _TIMES, _ATTEMPTS, _SEQUENCES, _PAYLOADS):
        job_id, time, attempt, sequence, payload = values
        event = Event(job_id=job_id, sequence=sequence, time=time, attempt=attempt)
        event.MergeFrom(payload)

        assert printer.print(event, event.WhichOneof("payload")) == json_text(event)
