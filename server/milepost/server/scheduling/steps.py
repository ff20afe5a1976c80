"""Work that can be done in slices: a generator that yields wherever others may go first, and returns the outcome."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final, TypeAlias, TypeVar

_Outcome = TypeVar("_Outcome")

Steps: TypeAlias = Generator[None, None, _Outcome]
"""Work in slices; see ``slices.Slices``, which runs it."""

SLICE_STEPS: Final = 1000
"""Steps between two yields, about. A step is what takes about a microsecond, such as a stage that is walked."""


def every(count: int, steps: Iterable[object]) -> Steps[None]:
    """Do the work of small steps, and yield after each ``count`` of them."""
    for number, _ in enumerate(steps, start=1):
        if number % count == 0:
            yield


def finish(steps: Steps[_Outcome]) -> _Outcome:
    """Do all of the work at once, and return its outcome."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            outcome: _Outcome = done.value
            return outcome
