"""The view for programs: an event a line."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from milepost.client._cli.rendering.connection_text import worth_telling
from milepost.client._cli.rendering.json_line import Json, line
from milepost.client._cli.rendering.message_json import message_line, waiting_line
from milepost.client._cli.rendering.watched_job import Watched
from milepost.client._watch.job_watch import Connection
from milepost.v1 import Event

__all__ = ["JsonView"]


class JsonView:
    """Writes each event as JSON to ``write``; to ``remark`` changes of the connection, and what the job waits for."""

    def __init__(self, write: Callable[[str], None], remark: Callable[[str], None]) -> None:
        self._write = write
        self._remark = remark
        self._link = Connection("connecting")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to put back."""

    def event(self, event: Event, watched: Watched) -> None:
        """Writes the event."""
        self._write(message_line(event))

    def waiting(self, watched: Watched) -> None:
        """Writes what the job waits for."""
        if watched.source.waiting is not None:
            self._remark(waiting_line(watched.source.waiting))

    def link(self, watched: Watched) -> None:
        """Writes that the connection is lost, and that it is there again."""
        link, before = watched.source.connection, self._link
        self._link = link
        if worth_telling(link, before):
            told: dict[str, Json] = {"state": link.state}
            if link.resumed_at is not None:
                told["resumedAt"] = link.resumed_at
            if link.error:
                told |= {"retryIn": round(link.retry_in, 3), "error": link.error}
            self._remark(line({"connection": told}))
