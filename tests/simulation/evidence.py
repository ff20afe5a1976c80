"""The result of a run for the checks: the logs, their order, and the attempts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.messages.timestamps import instant
from milepost.v1 import Event, Events, Job, JobState, Update
from tests.simulation.record import Lease, Record
from tests.simulation.world import Run

__all__ = ["Evidence", "Held", "at", "evidence_of", "is_the_servers", "meaning", "what_happened"]

# Failure codes of the server itself.
_SERVERS_CODES = frozenset({"WORKER_LOST", "RELEASED", "TIMEOUT", "ATTEMPT_TIMEOUT", "START_DEADLINE"})


@dataclass(frozen=True)
class Held:
    """One attempt in a log: the events after its `job_started`, with its end."""

    lease: Lease
    events: list[Event]


@dataclass(frozen=True)
class Evidence:
    """The evidence of a run. ``order`` has the events of all jobs in the order in which they became durable."""

    run: Run
    record: Record
    logs: dict[str, list[Event]]
    order: list[Event]
    attempts: list[Held]


def evidence_of(run: Run) -> Evidence:
    """Read the disk."""
    record = run.record
    order = [event for row in record.disk.rows() for event in Events.FromString(row.chunk.frames).events]
    logs: dict[str, list[Event]] = {job_id: [] for job_id in record.disk.records}
    for event in order:
        logs[event.job_id].append(event)
    tokens = LeaseTokens(record.disk.lease_secret, record.disk.epoch)
    attempts = [held for log in logs.values() for held in _attempts(log, tokens)]
    return Evidence(run, record, logs, order, attempts)


def what_happened(evidence: Evidence) -> Counter[str]:
    """Counts of faults, messages, and ends of attempts and jobs."""
    happened = Counter(evidence.record.counts)
    for event in evidence.order:
        if event.HasField("attempt_ended"):
            happened[f"attempt_ended {event.attempt_ended.failure.code}"] += 1
        elif event.HasField("job_ended"):
            state = JobState.Name(event.job_ended.state).removeprefix("JOB_STATE_")
            happened[f"job_ended {state}"] += 1
            happened["forced"] += event.job_ended.forced
    return happened


def _attempts(log: list[Event], tokens: LeaseTokens) -> Iterator[Held]:
    held: Held | None = None
    job = Job()
    for event in log:
        if event.HasField("job_submitted"):
            job = event.job_submitted.job
        if event.HasField("job_started"):
            lease = Lease(event.job_id, tokens.token(job, event.attempt))
            held = Held(lease, [])
            yield held
        elif held is not None:
            held.events.append(event)
            if event.HasField("attempt_ended"):
                held = None


def at(time: Timestamp) -> float:
    """The instant in seconds of virtual time."""
    return instant(time) / 1e9


def is_the_servers(event: Event) -> bool:
    """Whether only the server can have authored the event."""
    match event.WhichOneof("payload"):
        case "job_submitted" | "job_started" | "cancel_requested" | "children_progressed":
            return True
        case "attempt_ended":
            return event.attempt_ended.failure.code in _SERVERS_CODES
        case "job_ended":
            ended = event.job_ended
            return ended.forced or ended.failure.code in _SERVERS_CODES
    return False


def meaning(result: Event | Update) -> tuple[object, ...]:
    """The content that an update and its event share; it is unique within an attempt."""
    name = result.WhichOneof("payload") if isinstance(result, Event) else result.WhichOneof("update")
    match name:
        case "stage_started":
            return name, result.stage_started.stage.stage_id
        case "stage_progressed":
            return name, result.stage_progressed.stage_id, result.stage_progressed.current
        case "stage_ended":
            return name, result.stage_ended.stage_id, result.stage_ended.state
        case "log_written":
            return name, result.log_written.text
        case "custom":
            return name, result.custom.type, result.custom.json["step"]
        case "job_ended" | "attempt_ended":
            return ("an end",)
    return (name,)
