"""What a message of an existing channel says about a job. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from milepost.client._worker.truncation import text_of, unicode_text
from milepost.contract.limits import CUSTOM_TYPE, STAGE_ID

__all__ = ["ENDS", "FIELDS", "MalformedMessage", "MappedMessage", "mapped_message", "stage_id"]

ENDS: Final = ("succeeded", "failed", "cancelled")
"""How a job can end."""

_ID_LENGTH: Final = 512
# By how much a fraction may be out of its range, as a sum of rounded parts is.
_ROUNDING: Final = 1e-6
_SEVERITIES: Final = {
    "debug": "debug",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "critical": "error",
}


class MalformedMessage(ValueError):
    """A message from which the mapping gets nothing to report; the text says why, without the message's content."""


@dataclass(frozen=True, slots=True)
class MappedMessage:
    """The content of a message; everything but the id may be absent.

    Attributes:
        id: The job, as the application calls it.
        stage: The stage that works; `stage_fraction`, `current` and `message` are its, without it the job's.
        fraction: Of the whole job, 0 to 1.
        stage_fraction: Of the stage, 0 to 1.
        current: Progress in `unit`, of `total`.
        total: Progress at the end.
        unit: Unit of `current` and `total`.
        message: What is being done.
        log: A line for the job's log.
        severity: Severity of that line.
        event: Type of an event of the application.
        data: Its data.
        end: How the job has ended: one of `ENDS`; empty while it goes on.
        result: Result of a job that succeeded.
        failure: Why it failed, for people.
        code: Why it failed, for programs.
    """

    id: str
    stage: str = ""
    fraction: float | None = None
    stage_fraction: float | None = None
    current: float | None = None
    total: float | None = None
    unit: str = ""
    message: str | None = None
    log: str = ""
    severity: str = "info"
    event: str = ""
    data: Mapping[str, Any] | None = None
    end: str = ""
    result: Mapping[str, Any] | None = None
    failure: str = ""
    code: str = ""

    def essential(self) -> MappedMessage:
        """The message without its result, log line and event: progress and end."""
        return replace(self, result=None, log="", event="", data=None)


_PERCENTAGES: Final = {"percent": "fraction", "stage_percent": "stage_fraction"}
FIELDS: Final = frozenset({field.name for field in fields(MappedMessage)} | _PERCENTAGES.keys())
"""What a rule of a mapping, or the mapping of a function, may set."""


def mapped_message(values: Mapping[str, Any]) -> MappedMessage:
    """Check and convert the values of a message; fields that are None are absent.

    Raises:
        MalformedMessage: A value is not of its field's type, or there is no id.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if unknown := given.keys() - FIELDS:
        raise MalformedMessage(f"there is no field {min(map(repr, unknown))[:40]}")
    job = _text(given.get("id", ""))
    if not 0 < len(job) <= _ID_LENGTH:
        raise MalformedMessage(f"the id of the job has {len(job)} characters, and not 1 to {_ID_LENGTH}")
    numbers: dict[str, float] = {
        name: _number(given[name], name) for name in ("current", "total") if name in given
    }
    numbers |= {name: _part(given[name], name, 1) for name in _PERCENTAGES.values() if name in given}
    numbers |= {
        fraction: _part(given[name], name, 100) for name, fraction in _PERCENTAGES.items() if name in given
    }
    end = _text(given.get("end", "")).lower()
    if end not in ("", *ENDS):
        raise MalformedMessage(f"its end is none of {', '.join(ENDS)}")
    return MappedMessage(
        id=job,
        stage=_text(given.get("stage", "")),
        unit=_text(given.get("unit", "")),
        message=_text(given["message"]) if "message" in given else None,
        log=_text(given.get("log", "")),
        severity=_SEVERITIES.get(_text(given.get("severity", "")).lower(), "info"),
        event=_event_type(_text(given.get("event", ""))),
        data=_object(given.get("data")),
        end=end,
        result=_object(given.get("result")),
        failure=_text(given.get("failure", "")),
        code=_text(given.get("code", "")),
        **numbers,
    )


def stage_id(name: str) -> str:
    """The id of a stage of any name."""
    if STAGE_ID.fullmatch(name):
        return name
    return re.sub(r"[^A-Za-z0-9._/-]+", "-", name).strip("-")[:128] or "stage"


def _event_type(name: str) -> str:
    if not name or CUSTOM_TYPE.fullmatch(name):
        return name
    cleaned = re.sub(r"[^A-Za-z0-9._/-]+", "-", name).lstrip("0123456789._/-")[:128]
    return cleaned or "message"


def _number(value: Any, name: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(str(value).strip().removesuffix("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise MalformedMessage(f"{name} is not a number")
    return number


def _part(value: Any, name: str, whole: int) -> float:
    """A number from 0 to `whole`, as a fraction of it."""
    fraction = _number(value, name) / whole
    if not -_ROUNDING <= fraction <= 1 + _ROUNDING:
        raise MalformedMessage(f"{name} is not between 0 and {whole}")
    return min(max(fraction, 0.0), 1.0)


def _text(value: Any) -> str:
    # JSON can escape what is not Unicode (a lone surrogate), which nothing after this can encode.
    return unicode_text(text_of(value))


def _object(value: Any) -> Mapping[str, Any] | None:
    return value if value is None or isinstance(value, Mapping) else {"value": value}
