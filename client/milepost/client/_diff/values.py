"""Differences between two JSON values, part by part."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

from milepost.client._diff.paths import Path
from milepost.client._json import Json

__all__ = ["Change", "Difference", "differences"]


class Change(Enum):
    """How a part of B differs from that of A."""

    MISSING = "missing"
    ADDED = "added"
    CHANGED = "changed"
    FASTER = "faster"
    SLOWER = "slower"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Difference:
    """A part of two runs that differs.

    Attributes:
        path: Where it is: in A, or in B if it was added.
        change: How it differs.
        a: The part in A; None if it was added.
        b: The part in B; None if it is missing.
    """

    path: Path
    change: Change
    a: Json = None
    b: Json = None


def differences(a: Json, b: Json, path: Path = (), *, ordered: bool = True) -> Iterator[Difference]:
    """The smallest parts that differ. Numbers are equal only if they are exactly equal.

    Args:
        a: A value.
        b: The value to compare it with.
        path: Where the values are.
        ordered: Whether the order of the lists counts, if these are lists.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        for name in [*a, *(name for name in b if name not in a)]:
            yield from _of_parts(_entry(a, name), _entry(b, name), (*path, name))
    elif isinstance(a, list) and isinstance(b, list):
        unlike = _between_common_ends(a, b) if ordered else (_without_equals(a, b), _without_equals(b, a))
        for one, other in zip_longest(*unlike):
            index = (one or other)[0]
            yield from _of_parts(one[1:] if one else (), other[1:] if other else (), (*path, index))
    elif _key(a) != _key(b):
        yield Difference(path, Change.CHANGED, a, b)


def _of_parts(a: tuple[Json, ...], b: tuple[Json, ...], path: Path) -> Iterator[Difference]:
    """The differences between two parts, each of which may be absent."""
    if not a:
        yield Difference(path, Change.ADDED, b=b[0])
    elif not b:
        yield Difference(path, Change.MISSING, a=a[0])
    else:
        yield from differences(a[0], b[0], path)


def _entry(values: Mapping[str, Json], name: str) -> tuple[Json, ...]:
    return (values[name],) if name in values else ()


_Elements = list[tuple[int, Json]]


def _between_common_ends(a: Sequence[Json], b: Sequence[Json]) -> tuple[_Elements, _Elements]:
    """The elements of two lists between their common beginning and their common end."""
    keys_a, keys_b = [*map(_key, a)], [*map(_key, b)]
    start = _common_length(keys_a, keys_b)
    end = _common_length(keys_a[start:][::-1], keys_b[start:][::-1])
    return [*enumerate(a)][start : len(a) - end], [*enumerate(b)][start : len(b) - end]


def _without_equals(values: Sequence[Json], others: Sequence[Json]) -> _Elements:
    """The elements that have no equal one among the others."""
    left = Counter(map(_key, others))
    unlike = []
    for index, value in enumerate(values):
        key = _key(value)
        left[key] -= 1
        if left[key] < 0:
            unlike.append((index, value))
    return unlike


def _common_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the common beginning."""
    return next(
        (number for number, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )


def _key(value: Json) -> str:
    """The same text for equal values only. In Python ``True`` would equal ``1``."""
    return json.dumps(value, sort_keys=True)
