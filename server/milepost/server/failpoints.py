"""Failpoints: named points at which tests make the server fail, to end it between any two steps.

For tests only: ``MILEPOST_FAILPOINTS="commit.after=kill:3,assignment.before=kill"`` ends the process right after its
third commit, or before it sends the first assignment. Unless it is set, a point costs one lookup in an empty dict.

========================================  ==============================================================
``commit.before``, ``commit.after``       the transaction is about to commit; it is durable
``acknowledged.before``, ``….after``      the acknowledgement is about to be written to the stream; it is
                                          (likewise for each message of ``WorkResponse``, such as ``assignment``)
========================================  ==============================================================

``kill`` sends SIGKILL the n-th time that the point is reached, by default the first. ``error``, for commits only, is an
I/O error of the store.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

import structlog

from milepost.server.messages.job_encoding import JobResponse
from milepost.v1 import WorkResponse

__all__ = ["POINTS", "VARIABLE", "arm", "armed", "reach", "reach_message"]

_logger = structlog.get_logger("milepost.failpoints")

VARIABLE: Final = "MILEPOST_FAILPOINTS"
"""The environment variable."""

_COMMITS: Final = ("commit.before", "commit.after")
POINTS: Final = frozenset(
    [
        *_COMMITS,
        *(f"{field.name}.{side}" for field in WorkResponse.DESCRIPTOR.fields for side in ("before", "after")),
    ]
)
"""Their names."""

_SETTING: Final = re.compile(r"(?P<point>[a-z_.]+)=(?P<action>kill|error)(:(?P<hit>[1-9][0-9]*))?")


class _Failpoint(NamedTuple):
    """The action, at the n-th hit of the point, and a counter of hits."""

    action: str
    hit: int
    hits: Iterator[int]


_armed: dict[str, _Failpoint] = {}


def arm(settings: str) -> None:
    """Replace the armed points with those in ``settings``; an empty string arms none. Raises ValueError."""
    points = {}
    for setting in filter(None, settings.split(",")):
        found = _SETTING.fullmatch(setting)
        point, action = (found["point"], found["action"]) if found is not None else ("", "")
        if found is None or point not in POINTS or (action == "error" and point not in _COMMITS):
            raise ValueError(f"{VARIABLE} cannot be {settings!r}: {setting!r} is not a failpoint.")
        points[point] = _Failpoint(action, int(found["hit"] or 1), itertools.count(1))
    _armed.clear()
    _armed.update(points)
    if _armed:
        _logger.warning("failpoints armed, for tests only", settings=settings)


def armed() -> list[str]:
    """The armed points."""
    return list(_armed)


def reach(point: str) -> None:
    """Fail here if the point is armed. Raises sqlite3.OperationalError, as for a failing disk."""
    if _armed:
        _fail(point)


def reach_message(response: WorkResponse | JobResponse, side: str) -> None:
    """Fail ``before`` or ``after`` a message is written to its stream, if that point is armed."""
    if _armed:
        message = response.message if isinstance(response, JobResponse) else response
        _fail(f"{message.WhichOneof('message')}.{side}")


def _fail(point: str) -> None:
    failpoint = _armed.get(point)
    if failpoint is None or next(failpoint.hits) != failpoint.hit:
        return
    if failpoint.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
    raise error
