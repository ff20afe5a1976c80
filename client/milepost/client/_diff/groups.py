"""Two groups of runs of a kind side by side: the same work under two engines, or before and after a change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from milepost.client._diff.comparison import compare
from milepost.client._diff.paths import Path, PathPatterns
from milepost.client._diff.run import Run, ratio
from milepost.client._diff.sample import Sample, sample
from milepost.client._diff.shape import DROPPED, durations, parts, without_indexes
from milepost.client._diff.tolerance import Tolerance
from milepost.client._diff.values import Change, Difference

__all__ = ["Group", "GroupComparison", "Medians", "Presence", "Recurring", "compare_groups"]


@dataclass(frozen=True)
class Group:
    """Runs whose label has one value.

    Attributes:
        value: The value.
        runs: The runs, newest first.
    """

    value: str
    runs: Sequence[Run]


@dataclass(frozen=True)
class Medians:
    """How long a job or a stage takes in each group.

    Attributes:
        path: Its path without indexes, so that all children of a kind are taken together.
        a: Its durations in A; None without any.
        b: The same in B.
        judged: How the medians differ beyond the tolerance; None if they do not.
    """

    path: Path
    a: Sample | None
    b: Sample | None
    judged: Change | None

    @property
    def ratio(self) -> float | None:
        """The ratio of its duration in B to that in A."""
        if self.a is None or self.b is None:
            return None
        return ratio(self.a.median, self.b.median)


@dataclass(frozen=True)
class Presence:
    """A part that all runs of one group have, or none of them, and some of the other one.

    Attributes:
        path: Its path without indexes.
        value: The value that some have there, such as a state; empty if any value counts.
        a: Number of runs of A that have it.
        b: The same for B.
    """

    path: Path
    value: str
    a: int
    b: int


@dataclass(frozen=True)
class Recurring:
    """A part in which runs differ from those that they are paired with.

    Attributes:
        path: Its path without indexes.
        pairs: Number of pairs that differ there.
        example: The newest of these pairs.
        difference: How that pair differs.
    """

    path: Path
    pairs: int
    example: tuple[Run, Run]
    difference: Difference


@dataclass(frozen=True)
class GroupComparison:
    """Two groups side by side.

    Attributes:
        a: A group.
        b: The one that it is compared with.
        pairs: Number of pairs; without any the groups are compared as a whole.
        medians: Durations of the job, its stages and children; of the paired runs only, if there are any.
        presences: What one group has and the other one has not, without pairs.
        recurring: In what paired runs differ, the most frequent first.
    """

    a: Group
    b: Group
    pairs: int
    medians: Sequence[Medians]
    presences: Sequence[Presence]
    recurring: Sequence[Recurring]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs, apart from what was ignored or tolerated."""
        return not (self.presences or self.recurring or any(row.judged for row in self.medians))


def compare_groups(
    a: Group, b: Group, pairing_label: str, ignored: PathPatterns, tolerance: Tolerance
) -> GroupComparison:
    """Compare two groups: run by run where a label pairs them, else by what their runs have in common.

    Without pairs the inputs may differ, and with them all values; so only what there is, and which states the jobs and
    their stages end in, is compared.

    Args:
        a: A group.
        b: The group to compare it with.
        pairing_label: The label of a run that has the job_id of the one which it is paired with.
        ignored: Patterns of paths; the parts that they cover are not compared.
        tolerance: Which medians differ.
    """
    pairs = [*_pairs(a.runs, b.runs, pairing_label)]
    ours, theirs = ([one for one, _ in pairs], [other for _, other in pairs]) if pairs else (a.runs, b.runs)
    return GroupComparison(
        a,
        b,
        len(pairs),
        [*_medians(ours, theirs, ignored, tolerance)],
        [] if pairs else [*_presences(ours, theirs, ignored)],
        [*_recurring(pairs, ignored)],
    )


def _pairs(a: Sequence[Run], b: Sequence[Run], label: str) -> Iterator[tuple[Run, Run]]:
    by_id = {run.job.job_id: run for run in b}
    # The newest one if a run has several.
    by_pair = {run.job.labels[label]: run for run in reversed(b) if label in run.job.labels}
    for run in a:
        other = by_pair.get(run.job.job_id) or by_id.get(run.job.labels.get(label, ""))
        if other is not None:
            yield run, other


def _medians(
    a: Sequence[Run], b: Sequence[Run], ignored: PathPatterns, tolerance: Tolerance
) -> Iterator[Medians]:
    ours, theirs = _durations(a, ignored), _durations(b, ignored)
    for path in dict.fromkeys([*ours, *theirs]):
        one, other = sample(ours.get(path, [])), sample(theirs.get(path, []))
        judged = tolerance.judge(one.median, other.median) if one is not None and other is not None else None
        yield Medians(path, one, other, judged)


def _durations(runs: Sequence[Run], ignored: PathPatterns) -> dict[Path, list[float]]:
    found: dict[Path, list[float]] = defaultdict(list)
    for run in runs:
        for path, took in durations(run, ignored):
            found[path].append(took)
    return dict(found)


def _presences(a: Sequence[Run], b: Sequence[Run], ignored: PathPatterns) -> Iterator[Presence]:
    ours, theirs = (Counter(part for run in runs for part in parts(run, ignored)) for runs in (a, b))
    whole: set[Path] = set()
    # Each before what is below it, and "dropped" before all.
    for path, value in sorted({*ours, *theirs}, key=lambda part: (part[0], part[1] != DROPPED, part[1])):
        if any(path[:end] in whole for end in range(len(path) + 1)):
            continue
        in_a, in_b = ours[path, value], theirs[path, value]
        unanimous = in_a in (0, len(a)) or in_b in (0, len(b))
        if value == DROPPED or (unanimous and in_a * len(b) != in_b * len(a)):
            if value in ("", DROPPED):
                whole.add(path)
            yield Presence(path, value, in_a, in_b)


def _recurring(pairs: Sequence[tuple[Run, Run]], ignored: PathPatterns) -> Iterator[Recurring]:
    found: dict[Path, list[tuple[tuple[Run, Run], Difference]]] = defaultdict(list)
    for pair in pairs:
        by_path: dict[Path, Difference] = {}
        for difference in compare(*pair, ignored, Tolerance()).differences:
            by_path.setdefault(without_indexes(difference.path), difference)
        for path, difference in by_path.items():
            found[path].append((pair, difference))
    for path, examples in sorted(found.items(), key=lambda item: -len(item[1])):
        yield Recurring(path, len(examples), *examples[0])
