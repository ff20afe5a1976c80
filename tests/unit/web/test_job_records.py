"""The records of a job's events have the text that each event has by itself."""

from __future__ import annotations

import math

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given
from hypothesis import strategies as st

from milepost.contract.message_json import json_text
from milepost.v1 import Event, Events, LogWritten, StageProgressed
from milepost.web.event_printing import EventPrinter
from milepost.web.framing import NDJSON, SSE, Framing
from milepost.web.job_records import job_records

_NUMBERS = st.sampled_from([0.0, -0.0, 0.5, 7.0, math.inf, math.nan])
_TEXTS = st.sampled_from(["", "s", 'a "current":7.0', '"sequence":"5"'])
_TIMES = st.sampled_from([None, Timestamp(), Timestamp(seconds=5), Timestamp(seconds=5, nanos=7)])

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
_EVENTS = st.builds(
    Event,
    job_id=st.just('a "job"'),
    sequence=st.sampled_from([0, 5, 2**53]),
    time=_TIMES,
    attempt=st.sampled_from([0, 1]),
    stage_progressed=_PROGRESS,
) | st.just(Event(job_id='a "job"', sequence=5, log_written=LogWritten(text="t")))


def _report(*changes: Event) -> list[Event]:
    """A report of progress, each event with what one of the changes sets in it."""
    events = []
    for sequence, change in enumerate([Event(), Event(), Event(), Event(), *changes, Event(), Event()], 1):
        event = Event(
            job_id="j",
            sequence=sequence,
            time=Timestamp(seconds=5, nanos=7),
            attempt=1,
            stage_progressed=StageProgressed(
                stage_id="s", current=sequence / 3, total=9.0, fraction=0.25, job_fraction=0.125
            ),
        )
        event.MergeFrom(change)
        events.append(event)
    return events


def _expected(events: list[Event], framing: Framing) -> list[str]:
    return [
        framing.prefix(event.WhichOneof("payload") or "event", f"epoch:{event.sequence}")
        + json_text(event)
        + framing.end
        for event in events
    ]


@given(st.lists(_EVENTS | st.sampled_from(_report()), max_size=12), st.sampled_from([SSE, NDJSON]))
@example(_report(), SSE)
@example(_report(Event(time=Timestamp(seconds=6)), Event(time=Timestamp(nanos=8))), SSE)
@example(_report(Event(attempt=2)), NDJSON)
@example(_report(Event(stage_progressed=StageProgressed(stage_id="t"))), SSE)
@example(_report(Event(stage_progressed=StageProgressed(current=math.inf))), SSE)
@example(_report(Event(stage_progressed=StageProgressed(total=8.0))), SSE)
@example(_report(Event(stage_progressed=StageProgressed(unit="bytes"))), SSE)
@example(_report(Event(stage_progressed=StageProgressed(message="m"))), SSE)
@example(_report(Event(stage_progressed=StageProgressed(fraction=0.5))), SSE)
@example(_report(Event(stage_progressed=StageProgressed(job_fraction=0.5))), SSE)
@example(_report(Event(log_written=LogWritten(text="t"))), SSE)
def test_records(events: list[Event], framing: Framing) -> None:
    """What an event shares with the one before it is not printed again, and nothing else of it."""
    records = job_records(Events(events=events), "epoch", framing, EventPrinter())

    assert list(records) == _expected(events, framing)
