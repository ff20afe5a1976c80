"""Lengths of time as options of ``milepost serve``."""

from __future__ import annotations

import math
from collections.abc import Callable

import click

from milepost.contract import durations


def span(least: float = 0.0, most: float = math.inf) -> Callable[[str], float]:
    """What reads ``90``, ``1m30s``, ``12h`` or ``7d``, in seconds, within bounds. Raises click.BadParameter."""

    def read(told: str) -> float:
        try:
            length = durations.seconds(told)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
        if not least <= length <= most:
            bounds = f"at least {least:g}s" if math.isinf(most) else f"{least:g}s to {most:g}s"
            raise click.BadParameter(f"{told} is out of bounds: it must be {bounds}.")
        return length

    return read
