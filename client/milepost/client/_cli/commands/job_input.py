"""Input of a job from the command line."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Never

import click

__all__ = ["read_input", "set_value"]


def read_input(given: str | None, settings: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Read ``given`` (JSON, ``@FILE``, or ``-`` for stdin) and apply ``settings`` to it.

    Raises:
        click.BadParameter: The input cannot be read, or is not a JSON object.
    """
    content = {} if given is None else _object(*_read(given))
    for key, value in settings:
        set_value(content, key, value)
    return content


def set_value(content: dict[str, object], key: str, value: str) -> None:
    """Set one value. Dots in ``key`` address nested objects: ``a.b`` is ``b`` in the object ``a``.

    Raises:
        click.BadParameter: A parent in ``key`` exists and is not an object, or ``value`` has a key twice.
    """
    *parents, last = key.split(".")
    target = content
    for index, name in enumerate(parents):
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            path = ".".join(parents[: index + 1])
            raise click.BadParameter(f"{path} is not an object.", param_hint="'--set'")
        target = inner
    try:
        target[last] = _parse(value, "--set")
    except ValueError:
        target[last] = value


def _read(given: str) -> tuple[str, str]:
    """The text and the name of its source for errors."""
    try:
        if given == "-":
            return sys.stdin.buffer.read().decode(), "stdin"
        if given.startswith("@"):
            return Path(given[1:]).read_bytes().decode(), given[1:]
    except OSError as error:
        raise click.BadParameter(
            f"{given[1:] or 'stdin'} cannot be read: {error.strerror}.", param_hint="'--input'"
        ) from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{given} is not UTF-8 text.", param_hint="'--input'") from error
    return given, "it"


def _object(text: str, source: str) -> dict[str, object]:
    try:
        content = _parse(text, "--input")
    except (ValueError, RecursionError) as error:
        hint = " (@FILE reads a file)" if source == "it" else ""
        raise click.BadParameter(f"{source} is not JSON: {error}{hint}.", param_hint="'--input'") from error
    if not isinstance(content, dict):
        raise click.BadParameter(f"{source} is not a JSON object.", param_hint="'--input'")
    return content


def _parse(text: str, option: str) -> object:
    """Parse JSON.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
        click.BadParameter: An object has a key twice, so that one of the values would be lost.
    """

    def unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        ((key, count),) = Counter(key for key, _ in pairs).most_common(1) or [("", 0)]
        if count > 1:
            raise click.BadParameter(f"An object has the key {key!r} twice.", param_hint=f"'{option}'")
        return dict(pairs)

    return json.loads(text, parse_constant=_no_constant, object_pairs_hook=unique)


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")
