"""Connected workers as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text

from milepost.client._cli.rendering import table, text
from milepost.v1 import ConnectedWorker

__all__ = ["workers_lines", "workers_table"]

_HEADINGS = ("WORKER", "JOBS", "HEARD", "FROM", "NODE", "KINDS")
_WORKER, _FROM, _NODE, _KINDS = 0, 3, 4, 5
# The longer the names, the less of a line is left for them: kinds are cut first.
_SHRINK_ORDER = (_KINDS, _NODE, _FROM, _WORKER)


def workers_table(workers: Sequence[ConnectedWorker], now: datetime, width: int) -> Iterator[Text]:
    """Workers for a terminal that is so many cells wide."""
    rows, columns = _rows(workers, now)
    yielding = [columns.index(column) for column in _SHRINK_ORDER if column in columns]
    return table.fitted(rows, width, yielding=yielding)


def workers_lines(workers: Sequence[ConnectedWorker], now: datetime) -> Iterator[str]:
    """Workers as plain text."""
    return table.whole(_rows(workers, now)[0])


def _rows(workers: Sequence[ConnectedWorker], now: datetime) -> tuple[list[tuple[str, ...]], list[int]]:
    """The rows, headings first, and which columns they have: nodes only where there are several."""
    several = len({worker.node for worker in workers}) > 1
    columns = [column for column in range(len(_HEADINGS)) if several or column != _NODE]
    rows = [_HEADINGS, *(_cells(worker, now) for worker in workers)]
    return [tuple(row[column] for column in columns) for row in rows], columns


def _cells(worker: ConnectedWorker, now: datetime) -> tuple[str, ...]:
    return (
        text.truncate(text.clean(worker.worker_id), 128),
        f"{worker.job_count} of {worker.max_concurrency}",
        f"{text.age(text.seconds_between(worker.last_heard_time, now))} ago",
        _place(worker.peer),
        text.clean(worker.node),
        ", ".join(map(text.clean, worker.kinds)) or "-",
    )


def _place(peer: str) -> str:
    """Where it is, without what only gRPC wants to know: ``10.0.0.7:51234``, ``[::1]:51234``, ``unix:…``."""
    place = text.clean(peer).replace("%5B", "[").replace("%5D", "]")
    return place.removeprefix("ipv4:").removeprefix("ipv6:")
