"""Named points at which the server fails where it is told to, so that tests can end it between any two steps.

For tests only: ``MILEPOST_FAILPOINTS="commit.after=kill:3,assignment.before=kill"`` ends the process right after its
third commit, or before it sends the first assignment. Unless that is set, a point costs a look into an empty dict.

========================================  ==============================================================
``commit.before``, ``commit.after``       a group of writes is in its transaction; it is durable
``acknowledged.before``, ``….after``      the acknowledgement is about to be written to the stream; it was
                                          (so for each message of ``WorkResponse``, such as ``assignment``)
========================================  ==============================================================

``kill`` is SIGKILL, at the passage of that number, the first unless it is told otherwise. ``error``, for commits only,
is an I/O error of the store.
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

from milepost.v1 import WorkResponse

__all__ = ["POINTS", "VARIABLE", "arm", "armed", "reach", "reach_message"]

_log = structlog.get_logger("milepost.failpoints")

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

_SETTING: Final = re.compile(r"(?P<point>[a-z_.]+)=(?P<action>kill|error)(:(?P<passage>[1-9][0-9]*))?")


class _Failpoint(NamedTuple):
    """What is to happen, at which passage; and the passages so far."""

    action: str
    passage: int
    passages: Iterator[int]


_armed: dict[str, _Failpoint] = {}


def arm(settings: str) -> None:
    """Sets what is to fail, in place of what was set before; nothing where ``settings`` is empty. Raises ValueError."""
    points = {}
    for setting in filter(None, settings.split(",")):
        found = _SETTING.fullmatch(setting)
        point, action = (found["point"], found["action"]) if found is not None else ("", "")
        if found is None or point not in POINTS or (action == "error" and point not in _COMMITS):
            raise ValueError(f"{VARIABLE} cannot be {settings!r}: {setting!r} is no point of failure.")
        points[point] = _Failpoint(action, int(found["passage"] or 1), itertools.count(1))
    _armed.clear()
    _armed.update(points)
    if _armed:
        _log.warning("failpoints are armed, which is for tests only", settings=settings)


def armed() -> list[str]:
    """The points where something is to fail."""
    return list(_armed)


def reach(point: str) -> None:
    """Fails here where that was asked for. Raises sqlite3.OperationalError, as a failing disk makes it."""
    if _armed:
        _fail(point)


def reach_message(response: WorkResponse, side: str) -> None:
    """The same, ``before`` or ``after`` the message is written to its stream."""
    if _armed:
        _fail(f"{response.WhichOneof('message')}.{side}")


def _fail(point: str) -> None:
    failpoint = _armed.get(point)
    if failpoint is None or next(failpoint.passages) != failpoint.passage:
        return
    if failpoint.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
    raise error
