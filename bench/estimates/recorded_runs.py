"""Recorded runs, and the events of the jobs that they are replayed as.

A file has a line of JSON for each run: ``{kind, submitted, seconds, stages: [{id, start, end, unit, ticks}]}``.
``submitted`` is in seconds of Unix time, other times are in seconds from the start of the run; ``ticks`` are those when
one more unit was done.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from milepost.server.messages.timestamps import timestamp
from milepost.v1 import Event, Job, JobStarted, JobSubmitted, Stage, StageEnded, StageProgressed, StageStarted

_GZIP = b"\x1f\x8b"


class RecordedStage(NamedTuple):
    """A stage; times are in seconds from the start of the run."""

    stage_id: str
    start: float
    end: float
    ticks: tuple[float, ...]


class RecordedRun(NamedTuple):
    """A run that succeeded."""

    kind: str
    submitted: float
    """In seconds."""
    seconds: float
    stages: tuple[RecordedStage, ...]

    @property
    def ended(self) -> float:
        """In seconds, as ``submitted``."""
        return self.submitted + self.seconds

    def instant(self, elapsed: float) -> int:
        """So many seconds after its start, in nanoseconds: exactly, where a sum of floats would be off by 0.2 µs."""
        return round(self.submitted * 1e9) + round(elapsed * 1e9)


def load(paths: Iterable[Path]) -> list[RecordedRun]:
    """The runs of these files, plain or gzipped. Raises ValueError for a line that is not a run."""
    runs = []
    for path in paths:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data.startswith(_GZIP) else data).decode()
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                runs.append(_run(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}, line {number}: {error!r} in what should be a run") from error
    return runs


def _run(found: dict[str, Any]) -> RecordedRun:
    stages = tuple(
        RecordedStage(
            stage["id"],
            float(stage["start"]),
            float(stage["end"]),
            tuple(map(float, stage.get("ticks") or ())),
        )
        for stage in found["stages"]
    )
    return RecordedRun(found["kind"], float(found["submitted"]), float(found["seconds"]), stages)


def events(run: RecordedRun, *, units_known: bool) -> Iterator[tuple[float, Event]]:
    """The events of the run as a job, in order, each with its time in seconds from the start.

    ``units_known``: each stage tells beforehand how many units it has.
    """
    planned = [
        Stage(stage_id=stage.stage_id, total=len(stage.ticks) if units_known and stage.ticks else None)
        for stage in run.stages
    ]
    happened = [(0.0, 0, Event(job_submitted=JobSubmitted(job=Job(kind=run.kind, stages=planned))))]
    happened.append((0.0, 1, Event(job_started=JobStarted())))
    for stage in run.stages:
        started = Stage(stage_id=stage.stage_id)
        happened.append((stage.start, 3, Event(stage_started=StageStarted(stage=started))))
        for done, at in enumerate(stage.ticks, 1):
            progressed = StageProgressed(stage_id=stage.stage_id, current=done)
            happened.append((max(at, stage.start), 4, Event(stage_progressed=progressed)))
        happened.append((stage.end, 5, Event(stage_ended=StageEnded(stage_id=stage.stage_id))))
    happened.sort(key=lambda item: item[:2])
    for at, _, event in happened:
        event.time.CopyFrom(timestamp(run.instant(at)))
        yield at, event
