"""The view for a terminal: a picture of the job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from rich.console import Console, RenderableType

from milepost.client._cli.rendering.canvas import Canvas
from milepost.client._cli.rendering.job_frame import frame
from milepost.client._cli.rendering.screen import Screen
from milepost.client._cli.rendering.watched_job import Watched
from milepost.v1 import Event

__all__ = ["LiveView"]


class LiveView(Screen):
    """Draws the job as it stands."""

    def __init__(
        self,
        console: Console,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__(console, clock=clock, zone=zone)
        self._watched: Watched | None = None

    def picture(self, canvas: Canvas) -> RenderableType | None:
        """The job, once something is known of it."""
        return None if self._watched is None else frame(self._watched, canvas)

    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self._watched is not None and self._watched.ended

    def event(self, event: Event, watched: Watched) -> None:
        """Is seen on the next picture."""
        self._watched = watched

    def link(self, watched: Watched) -> None:
        """Is seen on the next picture."""
        self._watched = watched

    def waiting(self, watched: Watched) -> None:
        """Is seen on the next picture."""
        self._watched = watched
