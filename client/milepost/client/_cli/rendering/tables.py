"""Tables of jobs and of workers, cut to the width of a terminal or whole as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.canvas import JOB_STYLES, single_line
from milepost.client._cli.rendering.columns import align, fit, fits
from milepost.client._cli.rendering.estimate_text import remaining_cell
from milepost.v1 import ConnectedWorker, Estimate, Job

__all__ = ["jobs_lines", "jobs_table", "own_estimate", "workers_lines", "workers_table"]

_JOB_HEADINGS: Final = ("JOB", "KIND", "TITLE", "STATE", "DONE", "TOOK", "LEFT", "AGE", "OWNER")
_UNTITLED_HEADINGS: Final = tuple(heading for heading in _JOB_HEADINGS if heading != "TITLE")
_LINE_HEADINGS: Final = (*_UNTITLED_HEADINGS, "TITLE")
"""Titles, of several words, are last where programs count columns."""
_IF_ANY: Final = frozenset(("TITLE", "LEFT", "OWNER"))
"""Columns that are there only if a job has something in them."""
_SHRINK_ORDER: Final = ("OWNER", "TITLE", "KIND")

_INDENT: Final = "  "
"""Before the cells of a job whose id stands in a line of its own."""

_WORKER_HEADINGS: Final = ("WORKER", "JOBS", "HEARD", "FROM", "NODE", "KINDS")
_WORKER, _FROM, _NODE, _KINDS = 0, 3, 4, 5
_WORKER_SHRINK_ORDER: Final = (_KINDS, _NODE, _FROM, _WORKER)


def own_estimate(job: Job) -> Estimate | None:
    """The estimate that the job itself has, if any."""
    return job.estimate if job.HasField("estimate") else None


def jobs_table(
    jobs: Sequence[Job],
    now: datetime,
    width: int,
    estimate_of: Callable[[Job], Estimate | None] = own_estimate,
    *,
    words: bool = False,
    whole_ids: bool = False,
) -> Iterator[Text]:
    """Lay out jobs for a terminal of ``width`` cells.

    ``estimate_of`` returns the estimate of a job. With ``words`` what is left is ``about 03:20 left``, not ``03:20``.

    If they do not fit, owners, titles and kinds shrink first; then titles are left out. If that is not enough, ids lose
    their middle; with ``whole_ids``, so that users can copy them, each stands in a line of its own above the rest. Then
    columns are dropped from the right, down to the state.
    """
    rows = _job_rows(jobs, now, estimate_of, words=words)
    if not fits(rows, width, shrink_order=_shrink_order(rows[0])):
        rows = _job_rows(jobs, now, estimate_of, words=words, headings=_UNTITLED_HEADINGS)
    ids_apart = whole_ids and not fits(rows, width, shrink_order=_shrink_order(rows[0]))
    ids = [row[0] for row in rows]
    if ids_apart:
        rows = [row[1:] for row in _job_rows(jobs, now, estimate_of, words=words)]
    state = rows[0].index("STATE")

    def style(row: int, column: int) -> str:
        return JOB_STYLES.get(jobs[row - 1].state, "") if column == state else ""

    order = _shrink_order(rows[0])
    if not ids_apart:
        return fit(rows, width, shrink_order=order, id_column=0, min_columns=state + 1, style=style)
    lines = fit(rows, width - len(_INDENT), shrink_order=order, min_columns=state + 1, style=style)
    return _below_ids(ids, lines)


def jobs_lines(jobs: Sequence[Job], now: datetime) -> Iterator[str]:
    """Lay out jobs as plain text."""
    return align(_job_rows(jobs, now, own_estimate, headings=_LINE_HEADINGS))


def workers_table(workers: Sequence[ConnectedWorker], now: datetime, width: int) -> Iterator[Text]:
    """Lay out workers for a terminal of ``width`` cells."""
    rows, columns = _worker_rows(workers, now)
    shrink_order = [columns.index(column) for column in _WORKER_SHRINK_ORDER if column in columns]
    return fit(rows, width, shrink_order=shrink_order)


def workers_lines(workers: Sequence[ConnectedWorker], now: datetime) -> Iterator[str]:
    """Lay out workers as plain text."""
    return align(_worker_rows(workers, now)[0])


def _shrink_order(headings: Sequence[str]) -> list[int]:
    return [headings.index(name) for name in _SHRINK_ORDER if name in headings]


def _below_ids(ids: Sequence[str], lines: Iterable[Text]) -> Iterator[Text]:
    """Each id, headings first, in a line of its own, folded if it is longer than that, and the other cells below it."""
    for number, (job_id, line) in enumerate(zip(ids, lines, strict=True)):
        yield Text(job_id, style="" if number else "bold", overflow="fold")
        yield single_line(Text(_INDENT).append_text(line))


def _job_rows(
    jobs: Sequence[Job],
    now: datetime,
    estimate_of: Callable[[Job], Estimate | None],
    *,
    words: bool = False,
    headings: Sequence[str] = _JOB_HEADINGS,
) -> list[tuple[str, ...]]:
    """The rows, headings first; without the columns of `_IF_ANY` that are empty."""
    cells = [_job_cells(job, now, remaining_cell(job, estimate_of(job), now, words=words)) for job in jobs]
    columns = [
        column
        for heading in headings
        for column in (_JOB_HEADINGS.index(heading),)
        if heading not in _IF_ANY or any(row[column] for row in cells)
    ]
    return [tuple(row[column] for column in columns) for row in (_JOB_HEADINGS, *cells)]


def _job_cells(job: Job, now: datetime, left: str) -> tuple[str, ...]:
    took = text.duration(job, now) if job.HasField("start_time") else ""
    age = text.age(text.seconds_between(job.submit_time, now))
    done = text.progress(job).removesuffix(" done")
    owner = text.one_line(job.owner)
    return (
        text.one_line(job.job_id),
        text.one_line(job.kind),
        text.title(job),
        text.job_state(job.state),
        done,
        took,
        left,
        age,
        owner,
    )


def _worker_rows(
    workers: Sequence[ConnectedWorker], now: datetime
) -> tuple[list[tuple[str, ...]], list[int]]:
    """The rows, headings first, and their columns: nodes only if there are several."""
    several = len({worker.node for worker in workers}) > 1
    columns = [column for column in range(len(_WORKER_HEADINGS)) if several or column != _NODE]
    rows = [_WORKER_HEADINGS, *(_worker_cells(worker, now) for worker in workers)]
    return [tuple(row[column] for column in columns) for row in rows], columns


def _worker_cells(worker: ConnectedWorker, now: datetime) -> tuple[str, ...]:
    return (
        text.one_line(worker.worker_id, 128),
        # What takes no kinds only claims jobs, of which it says no maximum.
        f"{worker.job_count} of {worker.max_concurrency}" if worker.kinds else f"{worker.job_count}",
        f"{text.age(text.seconds_between(worker.last_heard_time, now))} ago",
        _peer_address(worker.peer),
        text.escaped(worker.node),
        ", ".join(map(text.escaped, worker.kinds)) or "-",
    )


def _peer_address(peer: str) -> str:
    """The address without gRPC's scheme and escapes: ``10.0.0.7:51234``, ``[::1]:51234``, ``unix:…``."""
    address = text.escaped(peer).replace("%5B", "[").replace("%5D", "]")
    return address.removeprefix("ipv4:").removeprefix("ipv6:")
