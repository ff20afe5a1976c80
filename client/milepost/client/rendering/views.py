"""What a view of a watched job is. `live`, `plain` and `json_view` have one each."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from milepost.client.rendering.watched import Watched
from milepost.v1 import Event

__all__ = ["SilentView", "View"]


class View(Protocol):
    """Shows a watched job for as long as it is entered."""

    async def __aenter__(self) -> Self:
        """Begins to show."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leaves the last picture standing."""

    def event(self, event: Event, watched: Watched) -> None:
        """An event has come, and is in ``watched`` already."""

    def link(self, watched: Watched) -> None:
        """The connection has changed."""


class SilentView:
    """Shows nothing, for those who just wait."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to put back."""

    def event(self, event: Event, watched: Watched) -> None:
        """Shows nothing."""

    def link(self, watched: Watched) -> None:
        """Shows nothing."""
