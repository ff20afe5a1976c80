"""Which names are nearest to one that was probably mistyped."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str], most: int) -> list[str]:
    """At most ``most`` of the names, those first that take the fewest edits to become ``name``; never itself.

    A name is near if a third of the longer one's characters, rounded down, but at least one, are enough.
    """
    near = []
    for other in names:
        bound = max(max(len(name), len(other)) // 3, 1)
        edits = distance(name, other, bound)
        if 0 < edits <= bound:
            near.append((edits, other))
    return [other for _, other in sorted(near)[:most]]


def distance(one: str, other: str, bound: int) -> int:
    """How many edits turn one text into the other; ``bound + 1`` where it takes more than ``bound``.

    An edit inserts, deletes or replaces a character, or swaps two neighbours (the optimal string alignment distance).
    """
    if abs(len(one) - len(other)) > bound:
        return bound + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, character in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            edits = min(above[column] + 1, current[-1] + 1, above[column - 1] + (character != against))
            if row > 1 and column > 1 and character == other[column - 2] and one[row - 2] == against:
                edits = min(edits, before[column - 2] + 1)
            current.append(edits)
        if min(*above, *current) > bound:  # a swap goes back two rows
            return bound + 1
        before, above = above, current
    return min(above[-1], bound + 1)
