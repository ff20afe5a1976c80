"""How far a command says that it is, in a line of its output."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeGuard

__all__ = ["Reader", "Reading", "reader"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says.

    Attributes:
        current: How far it is.
        total: How far it will be at its end; None where the line does not say.
        message: A remark; None for none.
        stage: The stage that it is about; empty for the usual one.
        is_only_progress: Whether the line says nothing else, so that it need not be logged.
    """

    current: float
    total: float | None = None
    message: str | None = None
    stage: str = ""
    is_only_progress: bool = False


Reader: TypeAlias = Callable[[str], Reading | None]
"""Reads a line; None where it says nothing of progress."""

_NUMBER: Final = r"\d+(?:[.,]\d+)?"
_PERCENT: Final = re.compile(rf"(?<![\d.,])(?P<percent>{_NUMBER})\s?%")
# Neither a date nor a part of a path.
_N_OF_M: Final = re.compile(rf"(?<![\w./-])(?P<current>{_NUMBER})\s?/\s?(?P<total>{_NUMBER})(?![\w/-]|\.\w)")
_GROUPS: Final = frozenset({"current", "total", "percent", "message"})


def reader(told: str) -> Reader:
    """The reader for ``percent``, ``json``, ``regex`` (as in ``3/10``) or ``regex:PATTERN``.

    The pattern has a group called ``current``, with or without ``total``, or one called ``percent``; and one called
    ``message`` if it likes. Of several matches in a line the last one counts.

    Raises:
        ValueError: It is none of these, or the pattern is none.
    """
    kind, colon, pattern = told.partition(":")
    match kind, colon:
        case "percent", "":
            return _by(_PERCENT)
        case "json", "":
            return _json
        case "regex", "":
            return _by(_N_OF_M)
        case "regex", _:
            return _by(_compiled(pattern))
    raise ValueError(f"{told!r} is none of percent, json, regex and regex:PATTERN.")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}.") from error
    names = set(compiled.groupindex)
    if not names & {"current", "percent"} or names - _GROUPS:
        raise ValueError(
            f"{pattern!r} is to have a group (?P<current>…) or (?P<percent>…), and may have (?P<total>…) and "
            "(?P<message>…)."
        )
    return compiled


def _by(pattern: re.Pattern[str]) -> Reader:
    def read(line: str) -> Reading | None:
        found = None
        for match in pattern.finditer(line):
            found = _reading(match.groupdict()) or found
        return found

    return read


def _reading(groups: dict[str, str | None]) -> Reading | None:
    percent = _number(groups.get("percent"))
    current, total = (
        (percent, 100.0)
        if percent is not None
        else (_number(groups.get("current")), _number(groups.get("total")))
    )
    if current is None or (total is not None and not 0 <= current <= total):
        return None
    return Reading(current, total, groups.get("message"))


def _number(text: str | None) -> float | None:
    try:
        number = float(text.replace(",", ".")) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _json(line: str) -> Reading | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    current, total, fraction = (told.get(name) for name in ("current", "total", "fraction"))
    message, stage = told.get("message"), told.get("stage", "")
    if current is None and fraction is not None:
        current, total = fraction, 1
    if not _is_amount(current) or not (total is None or _is_amount(total)):
        return None
    if not isinstance(message, str | None) or not isinstance(stage, str):
        return None
    return Reading(current, total, message, stage, is_only_progress=True)


def _is_amount(value: object) -> TypeGuard[float]:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value < 1e300  # what is beyond does not fit into the contract's numbers, or is no number
    )
