"""Views of one watched job: drawn, plain text, JSON, warnings only, and silent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.canvas import Canvas
from milepost.client._cli.rendering.event_text import describe
from milepost.client._cli.rendering.job_frame import frame
from milepost.client._cli.rendering.json_line import Json, dump_json
from milepost.client._cli.rendering.message_json import message_line, waiting_line
from milepost.client._cli.rendering.status_text import WaitingNotices, connection_text, is_reportable
from milepost.client._cli.rendering.terminal import Screen
from milepost.client._cli.rendering.watched_job import WatchedJob
from milepost.client._watch.job_watch import Connection
from milepost.fold import Fold
from milepost.v1 import Event

__all__ = ["JobView", "JsonView", "LiveView", "PlainView", "SilentView", "WarningView"]


class JobView(Protocol):
    """Shows a watched job for as long as it is entered."""

    async def __aenter__(self) -> Self:
        """Begins to show."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leaves the last picture standing."""

    def event(self, event: Event, watched: WatchedJob) -> None:
        """An event has come, and is in ``watched`` already."""

    def connection_changed(self, watched: WatchedJob) -> None:
        """The connection has changed."""

    def waiting_changed(self, watched: WatchedJob) -> None:
        """What the queued job waits for has changed."""


class SilentView:
    """Shows nothing, for those who just wait."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to put back."""

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Shows nothing."""

    def connection_changed(self, watched: WatchedJob) -> None:
        """Shows nothing."""

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Shows nothing."""


class WarningView(SilentView):
    """Writes only what a job waits for that does not just wait for its turn, to ``remark``."""

    def __init__(self, remark: Callable[[str], None]) -> None:
        self._remark = remark
        self._waiting = WaitingNotices()

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Writes it."""
        if words := self._waiting.words(watched.source.waiting, watched.job.kind):
            self._remark(f"Job {watched.job.job_id}: {words}")


class LiveView(Screen):
    """Draws the job as it final."""

    def __init__(
        self,
        console: Console,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__(console, clock=clock, zone=zone)
        self._watched: WatchedJob | None = None

    def picture(self, canvas: Canvas) -> RenderableType | None:
        """The job, once something is known of it."""
        return None if self._watched is None else frame(self._watched, canvas)

    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self._watched is not None and self._watched.ended

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Is seen on the next picture."""
        self._watched = watched

    def connection_changed(self, watched: WatchedJob) -> None:
        """Is seen on the next picture."""
        self._watched = watched

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Is seen on the next picture."""
        self._watched = watched


_PROGRESS_STEP = 0.1
# Seconds between two lines on the progress of one stage: at the least, and when there is one anyway.
_MIN_INTERVAL, _MAX_INTERVAL = 1.0, 30.0


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
        self._waiting = WaitingNotices()
        self._day: date | None = None
        """Of the line before: where a job spans days, each begins with its date."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to put back."""

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Writes what the event says, if it is worth a line."""
        self.tell(event, watched.fold)

    def tell(self, event: Event, fold: Fold) -> None:
        """The same; ``fold`` is the job with the event, or further."""
        if self._worth_a_line(event):
            line = describe(event, fold)
            if line:
                self._put(event.time.ToDatetime(tzinfo=UTC), line)

    def connection_changed(self, watched: WatchedJob) -> None:
        """Writes that the connection is lost, and that it is there again."""
        link, before = watched.source.connection, self._link
        self._link = link
        if is_reportable(link, before):
            self._remark(f"connection: {connection_text(watched, datetime.now(UTC))}")

    def waiting_changed(self, watched: WatchedJob) -> None:
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
        since = _MAX_INTERVAL if before is None else text.seconds_between(before.time, event.time)
        moved = fraction - told > _PROGRESS_STEP - 1e-9 and fraction < 1.0  # whose end has a line of its own
        if since < _MAX_INTERVAL and not (moved and since >= _MIN_INTERVAL):
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

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Writes the event."""
        self._write(message_line(event))

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Writes what the job waits for."""
        if watched.source.waiting is not None:
            self._remark(waiting_line(watched.source.waiting))

    def connection_changed(self, watched: WatchedJob) -> None:
        """Writes that the connection is lost, and that it is there again."""
        link, before = watched.source.connection, self._link
        self._link = link
        if is_reportable(link, before):
            told: dict[str, Json] = {"state": link.state}
            if link.resumed_at is not None:
                told["resumedAt"] = link.resumed_at
            if link.error:
                told |= {"retryIn": round(link.retry_in, 3), "error": link.error}
            self._remark(dump_json({"connection": told}))
