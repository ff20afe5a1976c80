"""Lines of a terminal: wrapped at words, and indented below their last column."""

from __future__ import annotations

import re
import textwrap
from typing import Final

__all__ = ["wrapped"]

# Columns are apart by two spaces at least.
_COLUMNS: Final = re.compile(r"(?P<head>(?:.*\s{2,})?)(?P<text>.*)", re.DOTALL)
_MIN_WIDTH: Final = 20


def wrapped(line: str, width: int) -> str:
    """The line in at most `width` characters, but for words that are longer, such as a URL."""
    found = _COLUMNS.fullmatch(line)
    assert found is not None
    head = found["head"]
    space = max(width - len(head), _MIN_WIDTH)
    parts = textwrap.wrap(found["text"], space, break_long_words=False, break_on_hyphens=False)
    return head + f"\n{' ' * len(head)}".join(parts)
