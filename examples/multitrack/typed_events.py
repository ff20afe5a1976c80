"""The events of the pipeline as messages: `multitrack_events.proto`."""

from __future__ import annotations

from typing import Final, TypeAlias

from examples.multitrack.multitrack_events_pb2 import (
    Consent,
    Duration,
    FinalSummary,
    FinalTitle,
    Participants,
    Topic,
    Transcript,
    Waveform,
)
from milepost.client import JobContext
from milepost.v1 import Event

__all__ = ["TypedEvent", "emit", "typed_event"]

TypedEvent: TypeAlias = (
    Consent | Duration | FinalSummary | FinalTitle | Participants | Topic | Transcript | Waveform
)

_MESSAGES: Final[dict[str, type[TypedEvent]]] = {
    "CONSENT": Consent,
    "DURATION": Duration,
    "FINAL_SUMMARY": FinalSummary,
    "FINAL_TITLE": FinalTitle,
    "PARTICIPANTS": Participants,
    "TOPIC": Topic,
    "TRANSCRIPT": Transcript,
    "WAVEFORM": Waveform,
}
_TYPES: Final = {message: name for name, message in _MESSAGES.items()}


def emit(job: JobContext, message: TypedEvent) -> None:
    """Report a message as an event of the job, under the type that belongs to it."""
    job.emit(_TYPES[type(message)], message)


def typed_event(event: Event) -> TypedEvent | None:
    """The message in an event; None if it is none of this pipeline.

    Raises:
        DecodeError: The data is damaged.
    """
    custom = event.custom
    if not event.HasField("custom") or custom.type not in _MESSAGES or not custom.HasField("proto"):
        return None
    message = _MESSAGES[custom.type]()
    return message if custom.proto.Unpack(message) else None
