"""Which run of one tree of jobs is compared with which run of another."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from milepost.client._diff.paths import Path
from milepost.client._diff.run import Run

__all__ = ["RunPair", "pair_runs"]

_NumberedRun: TypeAlias = tuple[Path, Run]


@dataclass(frozen=True)
class RunPair:
    """Two runs to compare, or one that has none beside it.

    Attributes:
        path: Its path in A, or in B if A does not have it.
        a: The run in A.
        b: The run in B.
    """

    path: Path
    a: Run | None
    b: Run | None


def pair_runs(a: Run, b: Run, path: Path = ()) -> Iterator[RunPair]:
    """Pair two runs, then their children, and so on, each before its own children."""
    yield RunPair(path, a, b)
    for one, other in _pair_children(a, b):
        if one is not None and other is not None:
            yield from pair_runs(one[1], other[1], path + one[0])
        elif one is not None:
            yield RunPair(path + one[0], one[1], None)
        elif other is not None:
            yield RunPair(path + other[0], None, other[1])


def _pair_children(a: Run, b: Run) -> Iterator[tuple[_NumberedRun | None, _NumberedRun | None]]:
    """Pair children of one kind by their labels, and those with equal labels in the order of their submission.

    A label counts if both runs have one of its values, as ``track=2``; an id that is new in each run pairs nothing.
    """
    shared = _labels(a.children) & _labels(b.children)
    counting = {(kind, name) for kind, name, _ in shared}

    def key(child: Run) -> tuple[str, frozenset[tuple[str, str]]]:
        kind = child.job.kind
        return kind, frozenset(label for label in child.job.labels.items() if (kind, label[0]) in counting)

    waiting: dict[object, deque[_NumberedRun]] = defaultdict(deque)
    for numbered in b.numbered_children():
        waiting[key(numbered[1])].append(numbered)
    for numbered in a.numbered_children():
        candidates = waiting[key(numbered[1])]
        yield numbered, candidates.popleft() if candidates else None
    for left in waiting.values():
        for numbered in left:
            yield None, numbered


def _labels(children: Sequence[Run]) -> set[tuple[str, str, str]]:
    return {(child.job.kind, name, value) for child in children for name, value in child.job.labels.items()}
