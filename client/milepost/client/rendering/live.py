"""The view for a terminal: one picture, drawn over and over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from milepost.client.rendering.canvas import Canvas
from milepost.client.rendering.frame import frame
from milepost.client.rendering.style import marks_for
from milepost.client.rendering.watched import Watched
from milepost.v1 import Event

__all__ = ["LiveView"]

_REFRESH = 0.1
"""Seconds between two pictures."""


class LiveView:
    """Keeps a picture of the job up to date; the last one stays on the terminal."""

    def __init__(
        self,
        console: Console,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo | None = None,
    ) -> None:
        self._console = console
        self._clock = clock
        self._zone = zone
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._watched: Watched | None = None
        self._drawing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._live.start()
        self._drawing = asyncio.create_task(self._draw_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Draws the last picture, and gives the terminal back."""
        if self._drawing is not None:
            self._drawing.cancel()
            with suppress(asyncio.CancelledError):
                await self._drawing
        self._draw()
        self._live.stop()

    def event(self, event: Event, watched: Watched) -> None:
        """Is seen on the next picture."""
        self._watched = watched

    def link(self, watched: Watched) -> None:
        """Is seen on the next picture."""
        self._watched = watched

    def waiting(self, watched: Watched) -> None:
        """Is seen on the next picture."""
        self._watched = watched

    async def _draw_on(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(_REFRESH)

    def _draw(self) -> None:
        if self._watched is None:
            return
        width, height = self._console.size
        marks = marks_for(self._console.encoding)
        canvas = Canvas(width, height, self._clock(), self._zone, marks)
        self._live.update(frame(self._watched, canvas), refresh=True)
