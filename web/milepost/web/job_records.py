"""The text of a job's events: each is a record of its own, which a client can resume after.

A report has the progress of a stage again and again, in events that differ in little but their sequence, in what is
done so far, and in the message. The text around these is made once for all of them.
"""

from __future__ import annotations

from json.encoder import encode_basestring  # does not escape letters beyond ASCII
from math import inf
from typing import Any, Final, NamedTuple, TypeAlias

from milepost.v1 import Events
from milepost.web.event_printing import EventPrinter
from milepost.web.framing import Framing

UNKNOWN_EVENT: Final = "event"
"""The name of an event whose payload this version does not know."""

_PROGRESS: Final = "stage_progressed"


_Shared: TypeAlias = tuple[float, float, str, float, str, int, int, int]


class _Around(NamedTuple):
    """The text of a record of progress around its sequence, which is in it twice, ``current`` and its message."""

    id: str
    sequence: str
    current: str
    message: str
    end: str


def job_records(events: Events, epoch: str, framing: Framing, printer: EventPrinter) -> list[str]:
    """The records of events of one job, one after the other."""
    data, end = framing.data, framing.end
    records: list[str] = []
    append = records.append
    payload: str | None = None
    prefix = ""
    nanos = -1
    shared: _Shared | None = None
    around: _Around | None = None
    event: Any  # its field names are known only at run time
    for event in events.events:
        sequence = event.sequence
        if around is not None:
            # Of an event with another payload all of it is zero, which never equals what is shared.
            progress = event.stage_progressed
            current = progress.current
            if 0.0 < current < inf and sequence and _shared(event, progress) == shared:
                a, b, c, d, e = around
                message = progress.message
                said = f',"message":{encode_basestring(message)}' if message else ""
                append(f"{a}{sequence}{b}{sequence}{c}{current!r}{d}{said}{e}")
                continue
        # Most events have the payload of the one before. To ask which one takes a fifth of the time.
        if payload is None or not event.HasField(payload):
            payload = event.WhichOneof("payload")
            prefix = f"{framing.name}{payload or UNKNOWN_EVENT}{framing.id_field}{epoch}:"
        text = printer.print(event, payload)
        append(f"{prefix}{sequence}{data}{text}{end}")
        if payload == _PROGRESS:
            # Events of one report have the same time, and hardly any others: no more is compared of those.
            instant = event.time.nanos
            if instant != nanos:
                nanos, shared, around = instant, None, None
            else:
                before, shared = shared, _shared(event, event.stage_progressed)
                around = _around(event, prefix, text, framing) if shared == before else None
    return records


def _shared(event: Any, progress: Any) -> _Shared:
    """All that is in the record of progress but for its job, and what is not of the text around."""
    time = event.time
    return (
        progress.fraction,
        progress.job_fraction,
        progress.stage_id,
        progress.total,
        progress.unit,
        time.seconds,
        time.nanos,
        event.attempt,
    )


def _around(event: Any, prefix: str, text: str, framing: Framing) -> _Around | None:
    """Cut the JSON of progress at what may differ; None if events with other fields could be like this one.

    A number that is zero is like one that is absent, and like zero below zero, which both have another text.
    """
    progress = event.stage_progressed
    current = progress.current
    numbers = current, progress.total, progress.fraction, progress.job_fraction
    if not (event.sequence and event.time.seconds and all(0.0 < number < inf for number in numbers)):
        return None
    # Quotes within a text of JSON have a backslash before them, so that only names are found.
    before_sequence, after_sequence = text.split(f'"sequence":"{event.sequence}"', 1)
    before_current, after_current = after_sequence.split(f'"current":{current!r}', 1)
    before_message, fractions = after_current.split(',"fraction":', 1)
    return _Around(
        prefix,
        f'{framing.data}{before_sequence}"sequence":"',
        f'"{before_current}"current":',
        before_message.removesuffix(f',"message":{encode_basestring(progress.message)}'),
        f',"fraction":{fractions}{framing.end}',
    )
