"""JSON objects, one a line, that no terminal obeys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from milepost.contract.printable import escape_json

__all__ = ["Json", "line"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def line(value: Mapping[str, Json], *, indent: int | None = None) -> str:
    """An object on one line, without the line's end; with ``indent`` on several."""
    separators = (",", ":") if indent is None else None
    return escape_json(json.dumps(value, ensure_ascii=False, separators=separators, indent=indent))
