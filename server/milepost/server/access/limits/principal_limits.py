"""Limits of principals: the server's defaults, and what a credential sets instead."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from milepost.server.access.principal import Principal

LIMIT_MAX: Final = 1 << 50
"""The largest value of any limit."""

_UNITS: Final = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SPELLING: Final = re.compile(r"(\d{1,16})(KiB|MiB|GiB|/s)?", re.ASCII)
RATES: Final = frozenset({"requests", "events"})
"""The limits that are rates: so much a second."""


class Limits(NamedTuple):
    """Limits of one principal.

    The defaults are far from what an ordinary user does, and keep one principal from taking all that there is.

    Attributes:
        watches: Open watches at a time.
        jobs: Jobs that it has submitted and that have not ended.
        input: Bytes of the inputs of these jobs.
        requests: Calls a second.
        events: Updates in reports a second.
    """

    watches: int = 20_000
    jobs: int = 45_000
    input: int = 1 << 30
    requests: int = 2_000
    events: int = 20_000

    def of(self, principal: Principal) -> Limits:
        """The limits of a principal, whose credential may set some of its own."""
        return self._replace(**dict(principal.limits)) if principal.limits else self


def parse_limit(text: str) -> tuple[str, int]:
    """Parse ``events=5000/s``, ``jobs=100`` or ``input=64MiB`` into a name and a value. Raises ValueError."""
    name, separator, spelled = text.partition("=")
    if not separator or name not in Limits._fields:
        raise ValueError(f"{text!r} is not one of {', '.join(Limits._fields)}, '=' and a number")
    found = _SPELLING.fullmatch(spelled)
    number, unit = (found[1], found[2] or "") if found else ("0", "")
    wrong_unit = unit == "/s" if name not in RATES else unit not in ("", "/s")
    if wrong_unit or (unit not in ("", "/s") and name != "input"):
        raise ValueError(f"{text!r} has a unit that {name} does not have; write {_example(name)}")
    value = int(number) * _UNITS.get(unit, 1)
    if not 1 <= value <= LIMIT_MAX:
        raise ValueError(f"{text!r} is not a number from 1 to 2^50; write {_example(name)}")
    return name, value


def parse_limits(texts: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Parse several limits; each may be given once. Raises ValueError."""
    parsed = tuple(map(parse_limit, texts))
    names = [name for name, _ in parsed]
    if len(set(names)) < len(names):
        raise ValueError("a limit is given twice")
    return parsed


def _example(name: str) -> str:
    unit = "/s" if name in RATES else "MiB" if name == "input" else ""
    return f"'{name}=100{unit}'"
