"""Suggest names for a mistyped one."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable

# Maximum number of edits that count as a typing error. It also bounds the cost of comparing long names.
_EDIT_LIMIT = 4

# Names that are compared in full, which takes up to 0.3 ms for each: those with the most similar letters.
_COMPARISONS_LIMIT = 20


def nearest(name: str, names: Iterable[str], limit: int) -> list[str]:
    """At most ``limit`` of the names, by the number of edits that turn them into ``name``; never the name itself.

    A name is near within a third as many edits as the longer one has characters: at least one, at most four. Of many
    names with nearly the same letters only some are looked at.
    """
    characters = Counter(name)
    candidates = []
    for other in names:
        bound = _bound(name, other)
        if abs(len(name) - len(other)) <= bound:
            # Each edit supplies at most one missing character, and removes at most one surplus character.
            missing = (characters - Counter(other)).total()
            least = max(missing, missing + len(other) - len(name))
            if least <= bound:
                candidates.append((least, other))
    near = []
    for _, other in heapq.nsmallest(_COMPARISONS_LIMIT, candidates):
        bound = _bound(name, other)
        edits = distance(name, other, bound)
        if 0 < edits <= bound:
            near.append((edits, other))
    return [other for _, other in sorted(near)[:limit]]


def _bound(name: str, other: str) -> int:
    return min(max(max(len(name), len(other)) // 3, 1), _EDIT_LIMIT)


def distance(one: str, other: str, bound: int) -> int:
    """The number of edits that turn one text into the other, or ``bound + 1`` if it is above ``bound``.

    An edit inserts, deletes or replaces a character, or swaps two neighbours (the optimal string alignment distance).
    """
    if abs(len(one) - len(other)) > bound:
        return bound + 1
    # Cells further from the diagonal than the bound are above it.
    far = bound + 1
    before: list[int] = []
    above = [min(column, far) for column in range(len(other) + 1)]
    for row, character in enumerate(one, 1):
        current = [far] * (len(other) + 1)
        current[0] = min(row, far)
        for column in range(max(row - bound, 1), min(row + bound, len(other)) + 1):
            against = other[column - 1]
            edits = min(
                above[column] + 1, current[column - 1] + 1, above[column - 1] + (character != against)
            )
            if row > 1 and column > 1 and character == other[column - 2] and one[row - 2] == against:
                edits = min(edits, before[column - 2] + 1)
            current[column] = edits
        if min(above) >= far and min(current) >= far:  # a swap goes back two rows
            return far
        before, above = above, current
    return min(above[-1], far)
