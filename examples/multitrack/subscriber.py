"""A subscriber that follows a recording and its tracks, and gets the pipeline's events as typed messages."""

from __future__ import annotations

from collections.abc import AsyncGenerator

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
from examples.multitrack.typed_events import TypedEvent, typed_event
from milepost.client import Client
from milepost.v1 import Event, JobState, StageState

__all__ = ["clock_time", "lines_of"]

_BARS = "▁▂▃▄▅▆▇█"


async def lines_of(client: Client, job_id: str) -> AsyncGenerator[str, None]:
    """What happens to a job and its children, as text, until the job has ended."""
    async with client.watch_jobs(parent_job_id=job_id) as watch:
        async for event in watch:
            if not isinstance(event, Event):
                continue
            name = "" if event.job_id == job_id else event.job_id.removeprefix(f"{job_id}-")
            if text := _described(event):
                yield f"{name:<8}{text}"
            if event.HasField("job_ended") and event.job_id == job_id:
                return


def _described(event: Event) -> str:
    message = typed_event(event)
    if message is not None:
        return f"{event.custom.type:<18}{_summarised(message)}"
    match event.WhichOneof("payload"):
        case "job_started":
            return f"attempt {event.attempt} starts"
        case "stage_ended":
            return f"{event.stage_ended.stage_id:<18}{_name(StageState.Name(event.stage_ended.state))}"
        case "log_written":
            return f"{'log':<18}{event.log_written.text}"
        case "attempt_ended":
            return f"attempt {event.attempt} failed: {event.attempt_ended.failure.message}"
        case "cancel_requested":
            return "is to be cancelled"
        case "job_ended":
            return f"{_name(JobState.Name(event.job_ended.state))} {event.job_ended.failure.message}"
    return ""


def _summarised(message: TypedEvent) -> str:
    match message:
        case Participants():
            return ", ".join(
                f"{person.name}{'' if person.consent else ' (no consent)'}" for person in message.participants
            )
        case Duration():
            return clock_time(message.seconds)
        case Waveform():
            shown = message.peaks[:: max(1, len(message.peaks) // 60)]
            return "".join(_BARS[min(7, int(peak * 8))] for peak in shown)
        case Transcript():
            errors = message.word_errors
            wrong = errors.substituted + errors.deleted + errors.inserted
            rate = f", word error rate {wrong / errors.words:.0%}" if errors.words else ""
            return f"{len(message.turns)} turns{rate}"
        case Topic():
            return f"{clock_time(message.start)}–{clock_time(message.end)} {message.title}"
        case FinalTitle():
            return message.title
        case FinalSummary():
            return message.summary
        case Consent():
            return (
                f"{len(message.deleted)} files of {', '.join(message.withheld) or 'nobody'} deleted, "
                f"{len(message.remaining)} of {message.checked_files} checked files have their audio"
            )


def clock_time(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds // 60)}:{int(seconds % 60):02}"


def _name(state: str) -> str:
    return state.rpartition("_")[2].lower()
