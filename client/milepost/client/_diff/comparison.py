"""Two runs side by side, and all in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from milepost.client._diff.content import Content, input_of
from milepost.client._diff.matching import RunPair, pair_runs
from milepost.client._diff.paths import Path, PathPatterns
from milepost.client._diff.run import Run, ratio, seconds, state_of
from milepost.client._diff.tolerance import Tolerance
from milepost.client._diff.values import Change, Difference, differences
from milepost.v1 import Job, Stage

__all__ = ["Comparison", "Row", "compare"]


@dataclass(frozen=True)
class Row:
    """A job or a stage, in A and in B.

    Attributes:
        path: Its path: in A, or in B if A does not have it.
        a: The message in A; None if A does not have it.
        b: The same in B.
        judged: How their durations differ beyond the tolerance; None if they do not.
    """

    path: Path
    a: Job | Stage | None
    b: Job | Stage | None
    judged: Change | None

    @property
    def ratio(self) -> float | None:
        """The ratio of its duration in B to that in A."""
        return ratio(seconds(self.a), seconds(self.b))


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        a: A run.
        b: The run that it is compared with.
        rows: The job, its stages, and the same of its children.
        differences: All in which they differ, apart from what was ignored or tolerated.
        inputs: How their inputs differ: this may explain differences, and does not count as one.
    """

    a: Run
    b: Run
    rows: Sequence[Row]
    differences: Sequence[Difference]
    inputs: Sequence[Difference]


def compare(a: Run, b: Run, ignored: PathPatterns, tolerance: Tolerance) -> Comparison:
    """Compare two runs.

    Args:
        a: A run.
        b: The run to compare it with.
        ignored: Patterns of paths; the parts that they cover are not compared.
        tolerance: Which durations differ.
    """
    pairs = [pair for pair in pair_runs(a, b) if not ignored.covers(pair.path)]
    contents = (
        Content(ignored, {pair.a.job.job_id: pair.path for pair in pairs if pair.a is not None}),
        Content(ignored, {pair.b.job.job_id: pair.path for pair in pairs if pair.b is not None}),
    )
    rows = [row for pair in pairs for row in _rows(pair, ignored, tolerance)]
    found = [difference for pair in pairs for difference in _differences(pair, ignored, contents)]
    found += [difference for row in rows if (difference := _of_durations(row)) is not None]
    inputs = differences(input_of(a), input_of(b), ("input",))
    return Comparison(a, b, rows, found, [found for found in inputs if not ignored.covers(found.path)])


def _rows(pair: RunPair, ignored: PathPatterns, tolerance: Tolerance) -> Iterator[Row]:
    """The rows of a job and its stages, of A in their order, then of B alone."""
    job_a, job_b = (None if run is None else run.job for run in (pair.a, pair.b))
    yield _row(pair.path, job_a, job_b, ignored, tolerance)
    stages_a = {stage.stage_id: stage for stage in job_a.stages} if job_a is not None else {}
    stages_b = {stage.stage_id: stage for stage in job_b.stages} if job_b is not None else {}
    for name in dict.fromkeys([*stages_a, *stages_b]):
        path = (*pair.path, "stages", name)
        if not ignored.covers(path):
            yield _row(path, stages_a.get(name), stages_b.get(name), ignored, tolerance)


def _row(
    path: Path, a: Job | Stage | None, b: Job | Stage | None, ignored: PathPatterns, tolerance: Tolerance
) -> Row:
    took_a, took_b = seconds(a), seconds(b)
    if took_a is None or took_b is None or ignored.covers((*path, "duration")):
        return Row(path, a, b, None)
    return Row(path, a, b, tolerance.judge(took_a, took_b))


def _differences(
    pair: RunPair, ignored: PathPatterns, contents: tuple[Content, Content]
) -> Iterator[Difference]:
    a, b, path = pair.a, pair.b, pair.path
    if a is None or b is None:
        yield Difference(
            path,
            Change.ADDED if a is None else Change.MISSING,
            None if a is None else state_of(a.job),
            None if b is None else state_of(b.job),
        )
        return
    yield from differences(contents[0].of_job(a, path), contents[1].of_job(b, path), path)
    events = (*path, "events")
    if ignored.covers(events):
        return
    if a.has_dropped_events or b.has_dropped_events:
        yield Difference(events, Change.UNKNOWN, *(f"kept from {run.job.first_sequence}" for run in (a, b)))
        return
    in_a, in_b = contents[0].of_events(a, path), contents[1].of_events(b, path)
    for name in dict.fromkeys([*in_a, *in_b]):
        yield from differences(in_a.get(name, []), in_b.get(name, []), (*events, name), ordered=False)


def _of_durations(row: Row) -> Difference | None:
    if row.judged is None:
        return None
    return Difference((*row.path, "duration"), row.judged, seconds(row.a), seconds(row.b))
