"""JSON objects, one a line, that no terminal obeys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final, TypeAlias

from milepost.contract.printable import escape_json

__all__ = ["Json", "always_print", "dump_json"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

always_print: Final = ContextVar("always_print", default=False)
"""Whether messages are printed with what is zero or empty."""


def dump_json(value: Mapping[str, Json], *, indent: int | None = None) -> str:
    """An object on one line, without the line's end; with ``indent`` on several."""
    separators = (",", ":") if indent is None else None
    return escape_json(json.dumps(value, ensure_ascii=False, separators=separators, indent=indent))
