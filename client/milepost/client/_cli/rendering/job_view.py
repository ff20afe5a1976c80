"""Views of one watched job: drawn, plain text, JSON, warnings only, and silent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, RenderableType

from milepost.client._cli.rendering.canvas import Canvas
from milepost.client._cli.rendering.estimate_text import remaining_parts
from milepost.client._cli.rendering.event_text import describe
from milepost.client._cli.rendering.job_frame import frame
from milepost.client._cli.rendering.message_json import connection_line, message_line, waiting_line
from milepost.client._cli.rendering.status_text import ConnectionNotices, WaitingNotices, connection_text
from milepost.client._cli.rendering.terminal import Screen
from milepost.client._cli.rendering.watched_job import WatchedJob
from milepost.client._watch.connection_state import Connection
from milepost.fold import Fold
from milepost.v1 import Estimate, Event

__all__ = ["JobView", "JsonView", "LiveView", "PlainView", "SilentView", "WarningView"]


_PROGRESS_STEP: Final = 0.1
# Seconds between two lines about the progress of one stage.
_MIN_INTERVAL: Final = 1.0
_MAX_INTERVAL: Final = 30.0


class JobView(Protocol):
    """Shows a watched job while the context is entered."""

    async def __aenter__(self) -> Self:
        """Start showing."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop; what was shown last stays."""

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Show an event, which ``watched`` already includes."""

    def connection_changed(self, watched: WatchedJob) -> None:
        """Show the new state of the connection."""

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Show why the job is queued now."""


class SilentView:
    """Show nothing; the base of views that need no set-up."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing to restore."""

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Ignore the event."""

    def connection_changed(self, watched: WatchedJob) -> None:
        """Ignore the change."""

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Ignore the change."""


class WarningView(SilentView):
    """Write only what may keep a caller waiting for the end: why the job is queued, and a lost connection."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._notices = WaitingNotices()
        self._connections = ConnectionNotices()

    def connection_changed(self, watched: WatchedJob) -> None:
        """Write that the connection was lost or restored."""
        connection = watched.source.connection
        if self._connections.is_news(connection):
            self._write(f"Job {watched.job.job_id}: connection: {connection_text(connection)}")

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Write the notice, if there is a new one."""
        if notice := self._notices.next_notice(watched.source.waiting, watched.job, datetime.now(UTC)):
            self._write(f"Job {watched.job.job_id}: {notice}")


class LiveView(Screen):
    """Draw the current state of the job on a terminal."""

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
        """The job; None until something is known of it."""
        return None if self._watched is None else frame(self._watched, canvas)

    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self._watched is not None and self._watched.ended

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Include the event in the next picture."""
        self._watched = watched

    def connection_changed(self, watched: WatchedJob) -> None:
        """Include the change in the next picture."""
        self._watched = watched

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Include the change in the next picture."""
        self._watched = watched


class PlainView(SilentView):
    """Write a line for each event, for files, pipes and simple terminals.

    Progress is thinned out: a line for each tenth of a stage, at most one a second, and one after 30 s without.
    """

    def __init__(self, write: Callable[[str], None], *, zone: tzinfo | None = None, name: str = "") -> None:
        """Write lines with ``write``; a ``name`` follows the time of each."""
        self._write = write
        self._name = f"{name}  " if name else ""
        self._zone = zone
        # The fraction and the time of the last line of each stage. No event, which would keep all of its response.
        self._reported: dict[str, tuple[float, datetime]] = {}
        self._connections = ConnectionNotices()
        self._notices = WaitingNotices()
        # Date of the previous line: when a job spans days, a line with the new date comes between.
        self._day: date | None = None

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Write a line for the event, unless it is progress to be left out."""
        self.write_event(event, watched.fold, watched.estimate)

    def write_event(self, event: Event, fold: Fold, estimate: Estimate | None = None) -> None:
        """Like `event`, for a ``fold`` that includes the event; progress is followed by what the job still takes."""
        if self._needs_line(event):
            line = describe(event, fold)
            now = event.time.ToDatetime(tzinfo=UTC)
            if line and estimate is not None and _progress(event) is not None:
                line = ", ".join([line, *remaining_parts(estimate, now)[:1]])
            if line:
                self._write_at(now, line)

    def connection_changed(self, watched: WatchedJob) -> None:
        """Write that the connection was lost or restored."""
        self.write_connection(watched.source.connection, watched.behind)

    def write_connection(self, connection: Connection, behind: int = 0) -> None:
        """Like `connection_changed`, for a connection with ``behind`` known events that have not arrived yet."""
        if self._connections.is_news(connection):
            self._write_now(f"connection: {connection_text(connection, behind=behind)}")

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Write why the job is queued, if that is worth a notice."""
        if notice := self._notices.next_notice(watched.source.waiting, watched.job, datetime.now(UTC)):
            self._write_now(notice)

    def _write_now(self, line: str) -> None:
        self._write_at(datetime.now(UTC), line)

    def _write_at(self, moment: datetime, line: str) -> None:
        local = moment.astimezone(self._zone)
        if self._day not in (None, local.date()):
            self._write(f"{local:%Y-%m-%d}")
        self._day = local.date()
        time = f"{local:%H:%M:%S}"
        first, *more = line.split("\n")
        self._write(f"{time}  {self._name}{first}")
        for rest in more:
            self._write(f"{' ' * len(time)}  {self._name}{rest}")

    def _needs_line(self, event: Event) -> bool:
        if event.HasField("stage_started"):
            self._reported[event.stage_started.stage.stage_id] = (0.0, event.time.ToDatetime(tzinfo=UTC))
        progress = _progress(event)
        if progress is None:
            return True
        subject, fraction = progress
        now = event.time.ToDatetime(tzinfo=UTC)
        reported, before = self._reported.get(subject, (0.0, None))
        since = _MAX_INTERVAL if before is None else max((now - before).total_seconds(), 0.0)
        # The end of a stage has a line of its own.
        advanced = fraction - reported > _PROGRESS_STEP - 1e-9 and fraction < 1.0
        if since < _MAX_INTERVAL and not (advanced and since >= _MIN_INTERVAL):
            return False
        self._reported[subject] = (fraction, now)
        return True


class JsonView(SilentView):
    """Write each event as JSON to ``write``; connection changes and why the job is queued to ``write_status``."""

    def __init__(self, write: Callable[[str], None], write_status: Callable[[str], None]) -> None:
        self._write = write
        self._write_status = write_status
        self._connections = ConnectionNotices()

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Write the event."""
        self._write(message_line(event))

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Write why the job is queued."""
        if watched.source.waiting is not None:
            self._write_status(waiting_line(watched.source.waiting))

    def connection_changed(self, watched: WatchedJob) -> None:
        """Write that the connection was lost or restored."""
        self.write_connection(watched.source.connection)

    def write_connection(self, connection: Connection) -> None:
        """Like `connection_changed`, for a connection alone."""
        if self._connections.is_news(connection):
            self._write_status(connection_line(connection))


def _progress(event: Event) -> tuple[str, float] | None:
    """Subject and fraction of a progress event: a stage, or ``""`` for the job by its children."""
    if event.HasField("stage_progressed"):
        return event.stage_progressed.stage_id, event.stage_progressed.fraction
    if event.HasField("children_progressed"):
        return "", event.children_progressed.job_fraction
    return None
