"""JSON objects, one per line, without control characters that a terminal would obey."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

from milepost.client._json import Json
from milepost.contract.printable import escape_json

__all__ = ["Json", "always_print", "dump_json"]

always_print: Final = ContextVar("always_print", default=False)
"""Whether messages include fields that are zero or empty (``--always-print``)."""


def dump_json(value: Mapping[str, Json] | Json, *, indent: int | None = None) -> str:
    """Encode a value, as a rule an object, on one line, without a line end; with ``indent`` on several lines."""
    separators = (",", ":") if indent is None else None
    return escape_json(json.dumps(value, ensure_ascii=False, separators=separators, indent=indent))
