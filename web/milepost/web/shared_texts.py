"""Texts of frames that subscribers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from milepost.contract.sized_cache import SizedCache

__all__ = ["SharedTexts"]

_Frame = TypeVar("_Frame")
_Text = TypeVar("_Text")


class SharedTexts(SizedCache[_Frame, _Text]):
    """A cache of the texts of frames, which is emptied with the last subscriber: nobody comes for the same again."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._subscribers = 0

    @contextmanager
    def subscribing(self) -> Iterator[None]:
        """Count a subscriber."""
        self._subscribers += 1
        try:
            yield
        finally:
            self._subscribers -= 1
            if not self._subscribers:
                self.clear()
