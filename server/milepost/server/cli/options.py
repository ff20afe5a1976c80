"""Options of the server's commands: each is also read from the environment, and durations have units."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from milepost.contract import durations

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""The option type of a file to read."""


def option(name: str, *more: str, **settings: Any) -> Callable[[Any], Any]:
    """``click.option`` with an environment variable: ``--lease-ttl`` is MILEPOST_LEASE_TTL."""
    variable = "MILEPOST_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, *more, envvar=variable, **settings)


def with_options(command: Callable[..., Any], options: Sequence[Callable[[Any], Any]]) -> Callable[..., Any]:
    """The command with these options of ``click``, which its help lists in this order."""
    for each in reversed(options):
        command = each(command)
    return command


def duration(minimum: float = 0.0, maximum: float = math.inf) -> Callable[[str], float]:
    """An option type that parses ``90``, ``1m30s``, ``12h`` or ``7d`` into seconds, within bounds.

    It raises click.BadParameter.
    """

    def parse(value: str) -> float:
        try:
            seconds = durations.seconds(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
        if not minimum <= seconds <= maximum:
            bounds = f"at least {minimum:g}s" if math.isinf(maximum) else f"{minimum:g}s to {maximum:g}s"
            raise click.BadParameter(f"{value} is out of bounds: it must be {bounds}.")
        return seconds

    return parse
