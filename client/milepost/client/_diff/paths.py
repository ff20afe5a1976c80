"""Paths to the parts of a run, such as ``result.tracks[2].words``, and patterns that cover some of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, TypeAlias

__all__ = ["Path", "PathPattern", "PathPatterns", "format_path"]

Path: TypeAlias = tuple[str | int, ...]
"""From a run to a part of it: names, and indexes in lists."""


class _Wildcard(Enum):
    INDEX = "[*]"
    DEEP = "**"


_Segment: TypeAlias = "int | re.Pattern[str] | _Wildcard"

_PLAIN_NAME: Final = re.compile(r"[^\s.\[\]\"'*$]+")
_TOKEN: Final = re.compile(
    r"""\.?(?:
        (?P<deep>\*\*)
      | (?P<name>[^\s.\[\]"'$]+)
      | \[(?:(?P<index>\d{1,9}) | (?P<any>\*) | (?P<quoted>"(?:[^"\\]|\\.)*"|'[^']*'))\]
    )""",
    re.VERBOSE,
)
_ANY_NAME: Final = re.compile(".*", re.DOTALL)


def format_path(path: Path) -> str:
    """Write a path as a pattern that covers it: ``events.TOPIC[2]["a name"]``."""
    parts: list[str] = []
    for element in path:
        if isinstance(element, int):
            parts.append(f"[{element}]")
        elif _PLAIN_NAME.fullmatch(element):
            parts.append(f".{element}" if parts else element)
        else:
            parts.append(f"[{json.dumps(element, ensure_ascii=False)}]")
    return "".join(parts)


class PathPattern:
    """A pattern of paths, which covers the parts below them as well.

    Names and indexes stand for themselves. ``*`` is any text in a name, ``[*]`` any index, ``**`` any number of names
    and indexes. An index that is left out stands for all: ``events.TOPIC.id`` covers ``events.TOPIC[3].id``. A name
    with other characters is quoted: ``result["a.b"]``. A leading ``$.`` is allowed. A pattern holds for a run and for
    each of its children: ``result.id`` also covers ``children.track[0].result.id``.
    """

    def __init__(self, text: str) -> None:
        """Parse a pattern.

        Raises:
            ValueError: It is malformed.
        """
        self._segments: Sequence[_Segment] = tuple(_parse(text))

    def covers(self, path: Path) -> bool:
        """Whether the pattern matches ``path`` or a path above it."""
        return any(self._matches(path[start:]) for start in _run_starts(path))

    def _matches(self, path: Path) -> bool:
        # All positions in the pattern that the elements so far may have led to; so the time is linear in the path.
        end, positions = len(self._segments), {*self._from(0)}
        for element in path:
            if end in positions:
                return True
            positions = {
                at
                for before in positions
                for after in self._step(before, element)
                for at in self._from(after)
            }
        return end in positions

    def _step(self, at: int, element: str | int) -> Iterator[int]:
        wanted = self._segments[at]
        if wanted is _Wildcard.DEEP:
            yield at
        elif isinstance(element, str):
            if isinstance(wanted, re.Pattern) and wanted.fullmatch(element):
                yield at + 1
        elif isinstance(wanted, re.Pattern):
            yield at
            if wanted is _ANY_NAME:
                yield at + 1
        elif wanted in (element, _Wildcard.INDEX):
            yield at + 1

    def _from(self, at: int) -> Iterator[int]:
        """``at``, and each position that ``**`` leads to from there without an element."""
        yield at
        while at < len(self._segments) and self._segments[at] is _Wildcard.DEEP:
            at += 1
            yield at


class PathPatterns:
    """Several patterns; a path is covered if one of them covers it.

    Attributes:
        unused: The patterns that have covered no path yet, as they were written.
    """

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._patterns = {text: PathPattern(text) for text in texts}
        self.unused = list(self._patterns)

    def covers(self, path: Path) -> bool:
        """Whether a pattern covers ``path``."""
        # All are asked, so that one does not seem unused because another one covers the same.
        found = [text for text, pattern in self._patterns.items() if pattern.covers(path)]
        if found and self.unused:
            self.unused = [text for text in self.unused if text not in found]
        return bool(found)


def _run_starts(path: Path) -> Iterator[int]:
    """Where in a path the part within a run begins: at 0, and after each ``children.KIND[N]``."""
    start = 0
    yield start
    while len(path) >= start + 3 and path[start] == "children":
        start += 3
        yield start


def _parse(text: str) -> Iterator[_Segment]:
    rest = text.removeprefix("$")
    if not rest.strip("."):
        raise ValueError(f"{text!r} names no part of a run, such as result.request_id or events.TOPIC.")
    while rest:
        found = _TOKEN.match(rest)
        if found is None:
            raise ValueError(
                f"{text!r} is not a path: {rest!r} is neither .NAME nor [INDEX]. "
                'Quote a name with other characters, as in result["a.b"].'
            )
        yield _segment(found)
        rest = rest[found.end() :]


def _segment(found: re.Match[str]) -> _Segment:
    if found["deep"]:
        return _Wildcard.DEEP
    if found["any"]:
        return _Wildcard.INDEX
    if found["index"]:
        return int(found["index"])
    if quoted := found["quoted"]:
        name = json.loads(quoted) if quoted.startswith('"') else quoted[1:-1]
        return re.compile(re.escape(name), re.DOTALL)
    if found["name"] == "*":
        return _ANY_NAME
    return re.compile(".*".join(map(re.escape, found["name"].split("*"))), re.DOTALL)
