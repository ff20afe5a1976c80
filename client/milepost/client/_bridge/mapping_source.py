"""Find a mapping: one that is shipped, a file, or a function of the application."""

from __future__ import annotations

import importlib
import importlib.resources
import json
import sys
import tomllib
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

from milepost.client._bridge.message_mapping import FunctionMapping, JobRules, MessageMapping, read_mapping
from milepost.client._taken_names import taken_name

__all__ = ["find_function", "find_mapping", "shipped_mappings"]

_SHIPPED = importlib.resources.files("milepost.client._bridge") / "mappings"


def shipped_mappings() -> list[str]:
    """The names of the mappings that are shipped."""
    return sorted(
        file.name.removesuffix(".toml") for file in _SHIPPED.iterdir() if file.name.endswith(".toml")
    )


def find_mapping(source: str, function_rules: JobRules) -> MessageMapping:
    """The mapping called, or at, or in `source`.

    Args:
        source: A name of `shipped_mappings`, a file of TOML or JSON, or ``MODULE:FUNCTION``.
        function_rules: What holds for the jobs of a function; a file says that itself.

    Raises:
        ValueError: There is no such mapping, or it is not one; the text says what is wrong.
    """
    path = Path(source)
    if source in shipped_mappings() and not path.exists():
        return read_mapping(tomllib.loads((_SHIPPED / f"{source}.toml").read_text(encoding="utf-8")))
    if ":" in source and not path.exists():
        return FunctionMapping(find_function(source), function_rules)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{source!r} cannot be read ({error}). Give a file, MODULE:FUNCTION, "
            f"or one of {', '.join(shipped_mappings())}."
        ) from error
    try:
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        if not isinstance(document, dict):
            raise ValueError("it is not an object")
        return read_mapping(document)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source!r} is not a mapping: {error}.") from error


def find_function(source: str) -> Callable[..., Any]:
    """The function ``MODULE:FUNCTION``, imported from the working directory first.

    Raises:
        ValueError: There is none.
    """
    module, colon, name = source.partition(":")
    if not (module and colon and name):
        raise ValueError(f"{source!r} is not of the form MODULE:FUNCTION.")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = attrgetter(name)(importlib.import_module(module))
    except Exception as error:
        why = taken_name(module) or f"{type(error).__name__}: {error}"
        raise ValueError(f"{source} cannot be imported: {why}") from error
    if not callable(found):
        raise ValueError(f"{source} is not a function, but of type {type(found).__name__}.")
    function: Callable[..., Any] = found
    return function
