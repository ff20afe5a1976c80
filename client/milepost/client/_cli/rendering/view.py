"""What a view of a watched job is. `live`, `plain` and `json_view` have one each."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from milepost.client._cli.rendering.wait_text import WaitingNews
from milepost.client._cli.rendering.watched_job import Watched
from milepost.v1 import Event

__all__ = ["EventView", "SilentView", "WarningView"]


class EventView(Protocol):
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

    def waiting(self, watched: Watched) -> None:
        """What the queued job waits for has changed."""


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

    def waiting(self, watched: Watched) -> None:
        """Shows nothing."""


class WarningView(SilentView):
    """Writes only what a job waits for that does not just wait for its turn, to ``remark``."""

    def __init__(self, remark: Callable[[str], None]) -> None:
        self._remark = remark
        self._waiting = WaitingNews()

    def waiting(self, watched: Watched) -> None:
        """Writes it."""
        if words := self._waiting.words(watched.source.waiting, watched.job.kind):
            self._remark(f"Job {watched.job.job_id}: {words}")
