"""Views of many watched jobs: a live table, plain lines, and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.text import Text

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.canvas import Canvas, single_line
from milepost.client._cli.rendering.connection_row import connection_row, is_over
from milepost.client._cli.rendering.job_view import PlainView
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._cli.rendering.message_json import connection_line, message_line
from milepost.client._cli.rendering.status_text import ConnectionNotices
from milepost.client._cli.rendering.tables import jobs_table, own_estimate
from milepost.client._cli.rendering.terminal import Screen
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.jobs_cursor import Gap, Item
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Deleted, Estimate, Event, Job, Trimmed

__all__ = ["Jobs", "JobsView", "JsonJobsView", "LiveJobsView", "PlainJobsView"]

Jobs = dict[str, Fold]
"""Watched jobs by id."""

# Lines of the picture besides those of jobs: headings, sum, connection, and the empty lines around them.
_NON_JOB_LINES = 6

_WORDS_WIDTH: Final = 72
"""Cells from which on remaining times have words."""


class JobsView(Protocol):
    """Shows what happens to many jobs."""

    def item(self, item: Item, jobs: Jobs) -> None:
        """Show an item of the watch, which ``jobs`` already includes."""

    def connection_changed(self, connection: Connection) -> None:
        """Show the new state of the connection."""


class LiveJobsView(Screen):
    """Draw a table of the jobs: unfinished ones first, then the newest; below it the state of the connection."""

    def __init__(
        self, console: Console, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(console, clock=clock)
        self._now = clock
        self._jobs: Mapping[str, Fold] = {}
        self.estimate_of: Callable[[Job], Estimate | None] = own_estimate
        """The estimate of a job; the watch has later ones than the job."""
        self._connection = Connection("connecting")
        self._connection_since = clock()

    def item(self, item: Item, jobs: Jobs) -> None:
        """Include the item in the next picture."""
        self._jobs = jobs

    def connection_changed(self, connection: Connection) -> None:
        """Include the change in the next picture."""
        self._connection, self._connection_since = connection, self._now()

    def picture(self, canvas: Canvas) -> RenderableType:
        """The table, the number of jobs per state, and the connection while there may be more to come."""
        jobs = sorted((fold.job for fold in self._jobs.values()), key=_rank)
        visible = len(jobs) if canvas.final else max(canvas.height - _NON_JOB_LINES, 1)
        counts = Counter(job.state for job in jobs)
        states = ", ".join(f"{count:,} {text.job_state(state)}" for state, count in sorted(counts.items()))
        summary = f"{text.count(len(jobs), 'job')}{': ' if states else ''}{states}"
        rows = [single_line(Text(summary, style="dim"))]
        if jobs:
            words = canvas.text_width >= _WORDS_WIDTH
            # While it is drawn again and again, as many jobs as possible are to be in sight; the last picture stays.
            drawn = jobs_table(
                jobs[:visible],
                canvas.now,
                canvas.text_width,
                self.estimate_of,
                words=words,
                whole_ids=canvas.final,
            )
            rows = [*drawn, Text(""), *rows]
        if not canvas.final and not is_over(self._connection, canvas):
            waited = (canvas.now - self._connection_since).total_seconds()
            rows += [Text(""), connection_row(self._connection, waited, canvas)]
        return Group(*rows)

    def is_final(self) -> bool:
        """Whether all jobs have ended."""
        return all(has_ended(fold.job) for fold in self._jobs.values())


class PlainJobsView:
    """Write a line for each event, with the job's id; progress is thinned out as in `PlainView`."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._views: dict[str, PlainView] = {}
        self._connection = PlainView(write)

    def connection_changed(self, connection: Connection) -> None:
        """Write that the connection was lost or restored."""
        self._connection.write_connection(connection)

    def item(self, item: Item, jobs: Jobs) -> None:
        """Write a line for the item."""
        match item:
            case Event() if item.job_id in jobs:
                if item.job_id not in self._views:
                    self._views[item.job_id] = PlainView(self._write, name=text.one_line(item.job_id))
                self._views[item.job_id].write_event(item, jobs[item.job_id])
            case Job():
                done = text.progress(item)
                state = ", ".join(filter(None, (text.job_state(item.state), done)))
                name = " ".join(filter(None, (text.one_line(item.kind), text.title(item))))
                self._write(f"{text.one_line(item.job_id)}  {name}: {state}")
            case Deleted():
                self._views.pop(item.job_id, None)
                self._write(f"{text.one_line(item.job_id)}  deleted")


class JsonJobsView:
    """Write each item as one JSON object per line; items other than events are wrapped in their name.

    Connection changes go to ``write_status``.
    """

    def __init__(self, write: Callable[[str], None], write_status: Callable[[str], None]) -> None:
        self._write = write
        self._write_status = write_status
        self._connections = ConnectionNotices()

    def connection_changed(self, connection: Connection) -> None:
        """Write that the connection was lost or restored."""
        if self._connections.is_news(connection):
            self._write_status(connection_line(connection))

    def item(self, item: Item, jobs: Jobs) -> None:
        """Write the item."""
        match item:
            case Event():
                self._write(message_line(item))
            case Job():
                self._write(f'{{"snapshot":{{"job":{message_line(item)}}}}}')
            case Deleted():
                self._write(f'{{"deleted":{message_line(item)}}}')
            case Trimmed():
                self._write(f'{{"trimmed":{message_line(item)}}}')
            case Gap():
                self._write(dump_json({"gap": {"message": str(item.error)}}))


def _rank(job: Job) -> tuple[bool, float]:
    return has_ended(job), -job.submit_time.ToMicroseconds()
