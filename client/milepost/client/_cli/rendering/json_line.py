"""JSON objects, one per line, without control characters that a terminal would obey."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final, TypeAlias

from milepost.contract.printable import escape_json

__all__ = ["Json", "always_print", "dump_json"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

always_print: Final = ContextVar("always_print", default=False)
"""Whether messages include fields that are zero or empty (``--always-print``)."""


def dump_json(value: Mapping[str, Json], *, indent: int | None = None) -> str:
    """Encode an object on one line, without a line end; with ``indent`` on several lines."""
    separators = (",", ":") if indent is None else None
    return escape_json(json.dumps(value, ensure_ascii=False, separators=separators, indent=indent))
