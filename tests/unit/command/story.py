"""Build a job's log with given times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client._cli.rendering.canvas import UNICODE, Canvas, Marks
from milepost.client._cli.rendering.watched_job import WatchedJob
from milepost.client._watch.connection_state import Connection
from milepost.fold import Fold
from milepost.v1 import (
    Estimate,
    Event,
    Job,
    JobStarted,
    JobState,
    JobSubmitted,
    LogWritten,
    Severity,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    Waiting,
)

JOB_ID: Final = "019aa8c2-5f0e-7c11-b0a1-9f3e3c1b7a21"
START: Final = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """The time this many seconds after the start."""
    return START + timedelta(seconds=seconds)


def stamp(seconds: float) -> Timestamp:
    """The same as a protobuf timestamp."""
    time = Timestamp()
    time.FromDatetime(at(seconds))
    return time


@dataclass
class FakeSource:
    """A connection with given states."""

    head: int = 0
    estimate: Estimate | None = None
    connection: Connection = field(default_factory=lambda: Connection("live"))
    waiting: Waiting | None = None


class Story:
    """A watched job that gets its events one by one."""

    def __init__(self) -> None:
        self.source = FakeSource()
        self.watched = WatchedJob(Fold(), self.source, START)

    def tell(self, seconds: float, **payload: Any) -> Event:
        """The next event."""
        sequence = self.watched.cursor + 1
        event = Event(job_id=JOB_ID, sequence=sequence, time=stamp(seconds), attempt=1, **payload)
        self.watched.apply(event)
        self.source.head = max(self.source.head, sequence)
        return event

    def begin(self, *stages: Stage | str, planned_children: int = 0) -> None:
        """The job is submitted, and starts a second later."""
        job = Job(
            job_id=JOB_ID,
            kind="archive",
            state=JobState.JOB_STATE_QUEUED,
            submit_time=stamp(0),
            owner="ann",
            planned_children=planned_children,
        )
        self.tell(0, job_submitted=JobSubmitted(job=job))
        self.tell(1, job_started=JobStarted(worker_id="box-1"))
        if stages:
            plan = [Stage(stage_id=stage) if isinstance(stage, str) else stage for stage in stages]
            self.tell(1, stages_planned=StagesPlanned(stages=plan))

    def start(self, seconds: float, stage: str, **fields: Any) -> Event:
        """The start of a stage."""
        return self.tell(seconds, stage_started=StageStarted(stage=Stage(stage_id=stage, **fields)))

    def progress(self, seconds: float, stage: str, current: float, fraction: float, **fields: Any) -> Event:
        """Progress of a stage."""
        result = StageProgressed(stage_id=stage, current=current, fraction=fraction, **fields)
        return self.tell(seconds, stage_progressed=result)

    def end(
        self,
        seconds: float,
        stage: str,
        state: StageState.ValueType = StageState.STAGE_STATE_SUCCEEDED,
        **fields: Any,
    ) -> Event:
        """The end of a stage."""
        return self.tell(seconds, stage_ended=StageEnded(stage_id=stage, state=state, **fields))

    def log(
        self,
        seconds: float,
        text: str,
        stage: str = "",
        severity: Severity.ValueType = Severity.SEVERITY_INFO,
    ) -> Event:
        """A log line."""
        return self.tell(seconds, log_written=LogWritten(stage_id=stage, severity=severity, text=text))


def canvas(width: int, seconds: float, *, height: int = 24, marks: Marks = UNICODE) -> Canvas:
    """A canvas of a terminal in UTC."""
    return Canvas(width, height, at(seconds), UTC, marks)
