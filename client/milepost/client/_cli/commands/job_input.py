"""A job's input, as it is given on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Never

import click

__all__ = ["read_input", "set_value"]


def read_input(given: str | None, settings: Iterable[tuple[str, str]]) -> dict[str, object]:
    """The input: what was ``given`` (JSON, ``@FILE``, or ``-`` for stdin), with the ``settings`` on top.

    Raises:
        click.BadParameter: It cannot be read, or is not a JSON object.
    """
    content = {} if given is None else _object(*_read(given))
    for key, told in settings:
        set_value(content, key, told)
    return content


def set_value(content: dict[str, object], key: str, told: str) -> None:
    """Sets one value. ``key`` may have dots: ``a.b`` is the ``b`` within the object ``a``.

    Raises:
        click.BadParameter: There is something else than an object on the way to it.
    """
    *way, last = key.split(".")
    target = content
    for index, name in enumerate(way):
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            raise click.BadParameter(f"{'.'.join(way[: index + 1])} is not an object.", param_hint="'--set'")
        target = inner
    try:
        target[last] = json.loads(told, parse_constant=_no_constant)
    except ValueError:
        target[last] = told


def _read(given: str) -> tuple[str, str]:
    """The text, and where it is from."""
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


def _object(told: str, source: str) -> dict[str, object]:
    try:
        content = json.loads(told, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        hint = " (@FILE reads a file)" if source == "it" else ""
        raise click.BadParameter(f"{source} is not JSON: {error}{hint}.", param_hint="'--input'") from error
    if not isinstance(content, dict):
        raise click.BadParameter(f"{source} is not a JSON object.", param_hint="'--input'")
    return content


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")
