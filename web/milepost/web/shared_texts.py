"""Cache of the texts of frames, shared by subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from milepost.contract.sized_cache import SizedCache

__all__ = ["KEPT_TIME", "SharedTexts"]

KEPT_TIME: Final = 30.0
"""Seconds for which texts stay without a subscriber: a page that is reloaded, or was cut, asks for the same."""

_Frame = TypeVar("_Frame")
_Text = TypeVar("_Text")


class SharedTexts(SizedCache[_Frame, _Text]):
    """A cache of the texts of frames, which is emptied ``kept_time`` seconds after the last subscriber has gone."""

    def __init__(self, limit: int, kept_time: float = KEPT_TIME) -> None:
        super().__init__(limit)
        self._kept_time = kept_time
        self._subscribers = 0
        self._emptying: asyncio.TimerHandle | None = None

    @contextmanager
    def subscribing(self) -> Iterator[None]:
        """Count a subscriber."""
        self._subscribers += 1
        if self._emptying is not None:
            self._emptying.cancel()
            self._emptying = None
        try:
            yield
        finally:
            self._subscribers -= 1
            if not self._subscribers:
                self._emptying = asyncio.get_running_loop().call_later(self._kept_time, self.clear)
