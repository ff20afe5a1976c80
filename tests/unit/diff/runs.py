"""Runs to compare, with what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client._diff.comparison import Comparison, compare
from milepost.client._diff.paths import PathPatterns, format_path
from milepost.client._diff.run import Run
from milepost.client._diff.tolerance import Tolerance
from milepost.client._diff.values import Difference
from milepost.v1 import Artifact, Custom, Event, Job, JobState, Stage, StageState

SUCCEEDED: Final = JobState.JOB_STATE_SUCCEEDED


def struct(values: Mapping[str, Any]) -> Struct:
    """Values as a message."""
    return ParseDict(dict(values), Struct())


def stamp(seconds: float) -> Timestamp:
    """A time this many seconds after some other."""
    return Timestamp(seconds=1_700_000_000 + int(seconds), nanos=round(seconds % 1 * 1e9))


def stage(
    name: str,
    took: float = 1.0,
    state: StageState.ValueType = StageState.STAGE_STATE_SUCCEEDED,
    **fields: Any,
) -> Stage:
    """A stage that took this many seconds."""
    return Stage(stage_id=name, state=state, start_time=stamp(0), end_time=stamp(took), **fields)


def run(
    job_id: str = "job-in-a-test",
    *,
    kind: str = "album",
    took: float = 10.0,
    result: Mapping[str, Any] | None = None,
    events: Sequence[tuple[str, Mapping[str, Any]]] = (),
    children: Sequence[Run] = (),
    stages: Sequence[Stage] = (),
    artifacts: Sequence[Artifact] = (),
    labels: Mapping[str, str] | None = None,
    state: JobState.ValueType = SUCCEEDED,
    **fields: Any,
) -> Run:
    """A run that ended."""
    job = Job(
        job_id=job_id,
        kind=kind,
        state=state,
        attempt=1,
        first_sequence=1,
        stages=stages,
        artifacts=artifacts,
        labels=labels or {},
        start_time=stamp(0),
        end_time=stamp(took),
        result=None if result is None else struct(result),
    )
    job.MergeFrom(Job(**fields))
    customs = [Event(attempt=1, custom=Custom(type=name, json=struct(data))) for name, data in events]
    return Run(job, customs, children)


def compared(a: Run, b: Run, *ignored: str, tolerance: Tolerance | None = None) -> Comparison:
    """Their comparison."""
    return compare(a, b, PathPatterns(ignored), tolerance or Tolerance())


def differing(a: Run, b: Run, *ignored: str, tolerance: Tolerance | None = None) -> list[str]:
    """The paths at which they differ, each with how."""
    return [found_at(found) for found in compared(a, b, *ignored, tolerance=tolerance).differences]


def found_at(found: Difference) -> str:
    """A difference in short."""
    return f"{format_path(found.path)} {found.change.value}"
