"""Events that are printed one after the other have the JSON that each has by itself."""

from __future__ import annotations

import itertools
import math

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given
from hypothesis import strategies as st

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


def test_after_an_error() -> None:
    """An event that has no JSON leaves nothing behind for the next one."""
    printer = EventPrinter()
    event = Event(job_id="j", sequence=1, time=Timestamp(seconds=5), log_written=LogWritten(text="t"))
    printer.print(event, "log_written")
    with pytest.raises(ValueError, match="not within the years"):
        printer.print(Event(job_id="other", sequence=1, time=Timestamp(seconds=1 << 62)), "log_written")

    assert printer.print(event, "log_written") == json_text(event)


_NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 1e12, 1e308, math.inf, math.nan]) | st.floats()
_TEXTS = st.sampled_from(["", "s", "bytes"]) | st.text(st.characters(exclude_categories=["Cs"]))

_PROGRESS = st.builds(
    StageProgressed,
    stage_id=_TEXTS,
    current=_NUMBERS,
    total=st.none() | _NUMBERS,
    unit=_TEXTS,
    message=_TEXTS,
    fraction=_NUMBERS,
    job_fraction=_NUMBERS,
)


@given(st.lists(_PROGRESS, max_size=5))
@example([StageProgressed(stage_id="s", current=1, total=1)])
@example([StageProgressed(stage_id="s", current=1, total=1, fraction=-0.0, job_fraction=-0.0)])
def test_progress(updates: list[StageProgressed]) -> None:
    """Progress is printed by its fields, and not by the list of those that it has; the text is the same."""
    printer = EventPrinter()
    for sequence, progress in enumerate(updates, 1):
        event = Event(job_id="j", sequence=sequence, time=Timestamp(seconds=5), stage_progressed=progress)

        assert printer.print(event, "stage_progressed") == json_text(event)


def test_progress_of_one_stage() -> None:
    """What was kept of a total is not printed for progress without one."""
    printer = EventPrinter()
    for total in (7.0, 7.0, None, 0.0, None, 8.0, None):
        progress = StageProgressed(stage_id="s", current=1, total=total, fraction=0.5, job_fraction=0.1)
        event = Event(job_id="j", sequence=1, time=Timestamp(seconds=5), stage_progressed=progress)

        assert printer.print(event, "stage_progressed") == json_text(event)


def test_fractions_that_progress_shares() -> None:
    """They are printed again and again, also where they are absent, from the first event on."""
    printer = EventPrinter()
    for fraction, job_fraction in [
        (0.0, 0.0),
        (0.5, 0.1),
        (0.5, 0.1),
        (0.0, 0.0),
        (0.5, 0.0),
        (0.5, 0.2),
        (0.0, 0.2),
    ]:
        progress = StageProgressed(
            stage_id="s", current=1, total=7.0, fraction=fraction, job_fraction=job_fraction
        )
        event = Event(job_id="j", sequence=1, time=Timestamp(seconds=5), stage_progressed=progress)

        assert printer.print(event, "stage_progressed") == json_text(event)
