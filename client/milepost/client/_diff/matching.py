"""Which run of one tree of jobs is compared with which run of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeAlias

from milepost.client._diff.paths import Path
from milepost.client._diff.run import Run

__all__ = ["RunPair", "pair_runs"]

_NumberedRun: TypeAlias = tuple[Path, Run]
_Key: TypeAlias = tuple[str, frozenset[tuple[str, str]]]
"""The kind of a child, and those of its labels that count."""


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
    Children with the same labels are as a rule tries at the same thing, so that their last ones pair.
    """
    shared = _labels(a.children) & _labels(b.children)
    counting = {(kind, name) for kind, name, _ in shared}

    def key(child: Run) -> _Key:
        kind = child.job.kind
        return kind, frozenset(label for label in child.job.labels.items() if (kind, label[0]) in counting)

    ours, theirs = _by_key(a, key), _by_key(b, key)
    for each in dict.fromkeys([*ours, *theirs]):
        one, other = ours.get(each, []), theirs.get(each, [])
        excess = len(one) - len(other) if each[1] else 0
        yield from ((child, None) for child in one[: max(excess, 0)])
        yield from ((None, child) for child in other[: max(-excess, 0)])
        yield from zip_longest(one[max(excess, 0) :], other[max(-excess, 0) :])


def _by_key(run: Run, key: Callable[[Run], _Key]) -> dict[_Key, list[_NumberedRun]]:
    found: dict[_Key, list[_NumberedRun]] = {}
    for numbered in run.numbered_children():
        found.setdefault(key(numbered[1]), []).append(numbered)
    return found


def _labels(children: Sequence[Run]) -> set[tuple[str, str, str]]:
    return {(child.job.kind, name, value) for child in children for name, value in child.job.labels.items()}
