"""Parse progress from lines of a command's output."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeGuard

__all__ = ["Progress", "ProgressParser", "progress_parser"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress in a line.

    Attributes:
        current: Completed amount.
        total: Amount at the end; None if unknown.
        message: Message of the stage; None for none.
        stage: Id of the stage; empty for the default one.
        is_only_progress: Whether the line consists of progress, so that it need not be logged.
        restarts: Whether a new phase begins, whose progress starts over.
        in_bytes: Whether the amounts are bytes, which cannot be added to other units.
    """

    current: float
    total: float | None = None
    message: str | None = None
    stage: str = ""
    is_only_progress: bool = False
    restarts: bool = False
    in_bytes: bool = field(default=False, compare=False)


ProgressParser: TypeAlias = Callable[[str], Progress | None]
"""Parse a line; None if it has no progress."""

_NUMBER: Final = r"\d+(?:[.,'’_\u00a0\u202f]\d+)*"
_PERCENT: Final = re.compile(r"(?<![\d.,])(?P<percent>\d+(?:[.,]\d+)?)\s?%")
# A row of curl's meter, whose heading has the percent signs: % total, % received, % sent, times and speeds.
_CURL: Final = re.compile(
    r"^\s*(?P<percent>\d{1,3})\s+[\d.]+[kMGTP]?\s+\d{1,3}\s+[\d.]+[kMGTP]?\s+\d{1,3}\s+[\d.]+[kMGTP]?"
    r"(?:\s+[\d.]+[kMGTP]?){2}(?:\s+(?:[\d:]+[dhms]?|-[-:]+-)){1,3}"
)
_UNIT: Final = r"(?:[kKMGTP]i?)?B\b|[kKMGTP](?![A-Za-z])|bytes\b"
# Excludes dates, parts of paths, and rsync's count of files left to check.
_N_OF_M: Final = re.compile(
    rf"(?<![\w./,'’-])(?<!-chk=)(?P<current>{_NUMBER})(?:\s?(?P<unit>{_UNIT}))?\s?/\s?"
    rf"(?P<total>{_NUMBER})(?:\s?(?P<units>{_UNIT}))?(?![\w/-]|\.\w)"
)
# ffmpeg's duration of the input, and its position.
_TIME: Final = r"(?P<hours>\d{1,6}):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?)"
_DURATION: Final = re.compile(rf"\bDuration: {_TIME}")
_POSITION: Final = re.compile(rf"\btime={_TIME}")
_GROUPS: Final = frozenset({"current", "total", "percent", "message"})
# Numbers with thousands separators, by separator. Decimal and thousands separators look alike.
_THOUSANDS: Final = {
    ",": re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"),
    ".": re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?"),
}
_SPACERS: Final = str.maketrans("", "", "'’_\u00a0\u202f")


def progress_parser(form: str) -> ProgressParser:
    """Make the parser for ``auto``, ``percent``, ``json``, ``regex`` (as in ``3/10``) or ``regex:PATTERN``.

    ``auto`` finds a percentage, else ``3/10`` as ``regex`` does, else ffmpeg's times. The pattern has a group
    ``current``, with or without ``total``, or a group ``percent``, and optionally ``message``. The last match in a line
    counts.

    Raises:
        ValueError: Unknown form, or an invalid pattern.
    """
    kind, colon, pattern = form.partition(":")
    match kind, colon:
        case "auto", "":
            return _auto()
        case "percent", "":
            return _percent
        case "json", "":
            return _json
        case "regex", "":
            return _n_of_m
        case "regex", _:
            return _by(_compiled(pattern))
    raise ValueError(f"{form!r} is none of percent, json, regex, regex:PATTERN and auto.")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}.") from error
    names = set(compiled.groupindex)
    if not names & {"current", "percent"} or names - _GROUPS:
        raise ValueError(
            f"{pattern!r} needs a group (?P<current>…) or (?P<percent>…), and may have (?P<total>…) and "
            "(?P<message>…)."
        )
    return compiled


def _by(*patterns: re.Pattern[str]) -> ProgressParser:
    def read(line: str) -> Progress | None:
        found = None
        for pattern in patterns:
            for match in pattern.finditer(line):
                found = _reading(match.groupdict()) or found
        return found

    return read


_percent: Final = _by(_PERCENT, _CURL)
_n_of_m: Final = _by(_N_OF_M)


def _auto() -> ProgressParser:
    duration = 0.0

    def read(line: str) -> Progress | None:
        nonlocal duration
        for match in _DURATION.finditer(line):
            duration = max(duration, _seconds(match))
        if not duration:
            return _percent(line) or _n_of_m(line)
        positions = [_seconds(match) for match in _POSITION.finditer(line)]
        return Progress(min(positions[-1], duration), duration) if positions else None

    return read


def _seconds(match: re.Match[str]) -> float:
    return int(match["hours"]) * 3600 + int(match["minutes"]) * 60 + float(match["seconds"])


def _reading(groups: dict[str, str | None]) -> Progress | None:
    message = groups.get("message")
    if (percent := groups.get("percent")) is not None:
        # Percentages have no thousands separators.
        current = _number(percent.replace(",", "."))
        return Progress(current, 100.0, message) if current is not None and 0 <= current <= 100 else None
    unit, units = groups.get("unit"), groups.get("units")
    current, total = _amounts(groups.get("current"), groups.get("total"), is_counted=units is None)
    if current is None:
        return None
    if total is not None and units is not None:
        current, total = current * _size(unit or units), total * _size(units)
        if not math.isfinite(current + total):
            return None
        current, total = round(current), round(total)
    elif unit is not None:
        # A rate, as in 3 MB / 5.
        return None
    if total is not None and not 0 <= current <= total:
        return None
    return Progress(current, total, message, in_bytes=units is not None)


def _amounts(
    current: str | None, total: str | None, *, is_counted: bool
) -> tuple[float | None, float | None]:
    """Parse both numbers together, since each shows which separators the other one uses.

    `is_counted` means that they have no unit, as for items.
    """
    texts = [text.translate(_SPACERS) for text in (current, total) if text is not None]
    commas = [text for text in texts if "," in text]
    points = [text for text in texts if "." in text]
    if all(_THOUSANDS[","].fullmatch(text) for text in commas):
        texts = [text.replace(",", "") for text in texts]
    elif all(_THOUSANDS["."].fullmatch(text) for text in points):
        texts = [text.replace(".", "").replace(",", ".") for text in texts]
    # A point separates thousands only if nothing else makes sense: 3/1.000, 1.000.000.
    is_mixed = is_counted and len(texts) == 2 and len(points) == 1
    if points and not commas and (is_mixed or any(text.count(".") > 1 for text in points)):
        texts = [text.replace(".", "") if _THOUSANDS["."].fullmatch(text) else text for text in texts]
    numbers = iter([_number(text) for text in texts])
    return (
        next(numbers) if current is not None else None,
        next(numbers) if total is not None else None,
    )


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _size(unit: str) -> float:
    """Bytes in the unit: powers of 1000 for ``kB``, of 1024 for ``KiB`` and ``K``."""
    power = "BKMGTP".index(unit[0].upper())
    return float((1000 if unit.endswith("B") and "i" not in unit else 1024) ** power)


def _json(line: str) -> Progress | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    current, total, fraction = (fields.get(name) for name in ("current", "total", "fraction"))
    message, stage = fields.get("message"), fields.get("stage", "")
    if current is None and fraction is not None:
        current, total = fraction, 1
    if not _is_amount(current) or not (total is None or _is_amount(total)):
        return None
    if not isinstance(message, str | None) or not isinstance(stage, str):
        return None
    return Progress(current, total, message, stage, is_only_progress=True)


def _is_amount(value: object) -> TypeGuard[float]:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        # Larger values and infinity do not fit the contract's numbers.
        and 0 <= value < 1e300
    )
