"""The plain view: a line for what changed, for files, pipes and simple terminals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from types import TracebackType
from typing import Self

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.connection_text import link_text, worth_telling
from milepost.client._cli.rendering.event_text import describe
from milepost.client._cli.rendering.wait_text import WaitingNews
from milepost.client._cli.rendering.watched_job import Watched
from milepost.client._watch.job_watch import Connection
from milepost.fold import Fold
from milepost.v1 import Event

__all__ = ["PlainView"]

_STEP = 0.1
# Seconds between two lines on the progress of one stage: at the least, and when there is one anyway.
_CALM, _QUIET = 1.0, 30.0


class PlainView:
    """Writes a line for each event, but for progress: of that one for each tenth of a stage, if a tenth takes a second,
    and one after 30 s without.
    """

    def __init__(self, write: Callable[[str], None], *, zone: tzinfo | None = None, name: str = "") -> None:
        """``write`` gets the lines; with a ``name`` each begins with it behind its time."""
        self._write = write
        self._name = f"{name}  " if name else ""
        self._zone = zone
        self._told: dict[str, tuple[float, Event]] = {}
        self._link = Connection("connecting")
        self._waiting = WaitingNews()
        self._day: date | None = None
        """Of the line before: where a job spans days, each begins with its date."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to put back."""

    def event(self, event: Event, watched: Watched) -> None:
        """Writes what the event says, if it is worth a line."""
        self.tell(event, watched.fold)

    def tell(self, event: Event, fold: Fold) -> None:
        """The same; ``fold`` is the job with the event, or further."""
        if self._worth_a_line(event):
            line = describe(event, fold)
            if line:
                self._put(event.time.ToDatetime(tzinfo=UTC), line)

    def link(self, watched: Watched) -> None:
        """Writes that the connection is lost, and that it is there again."""
        link, before = watched.source.connection, self._link
        self._link = link
        if worth_telling(link, before):
            self._remark(f"connection: {link_text(watched, datetime.now(UTC))}")

    def waiting(self, watched: Watched) -> None:
        """Writes what the job waits for, where that is not just its turn, and that it is again."""
        if words := self._waiting.words(watched.source.waiting, watched.job.kind):
            self._remark(words)

    def _remark(self, line: str) -> None:
        self._put(datetime.now(UTC), line)

    def _put(self, moment: datetime, line: str) -> None:
        local = moment.astimezone(self._zone)
        if self._day not in (None, local.date()):
            self._write(f"{local:%Y-%m-%d}")
        self._day = local.date()
        time = f"{local:%H:%M:%S}"
        first, *more = line.split("\n")
        self._write(f"{time}  {self._name}{first}")
        for rest in more:
            self._write(f"{' ' * len(time)}  {self._name}{rest}")

    def _worth_a_line(self, event: Event) -> bool:
        if event.HasField("stage_started"):
            self._told[event.stage_started.stage.stage_id] = (0.0, event)
        progress = _progress(event)
        if progress is None:
            return True
        what, fraction = progress
        told, before = self._told.get(what, (0.0, None))
        since = _QUIET if before is None else text.seconds_between(before.time, event.time)
        moved = fraction - told > _STEP - 1e-9 and fraction < 1.0  # whose end has a line of its own
        if since < _QUIET and not (moved and since >= _CALM):
            return False
        self._told[what] = (fraction, event)
        return True


def _progress(event: Event) -> tuple[str, float] | None:
    """What moved on, and how far it is: a stage, or (``""``) the job by its children."""
    if event.HasField("stage_progressed"):
        return event.stage_progressed.stage_id, event.stage_progressed.fraction
    if event.HasField("children_progressed"):
        return "", event.children_progressed.job_fraction
    return None
