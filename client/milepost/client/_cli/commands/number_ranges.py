"""Bounds of numbers in words: Click says ``-1000<=x<=1000`` in help and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import click

__all__ = ["in_words"]

_RANGES: Final = (click.IntRange, click.FloatRange)


def in_words(command: click.Command) -> None:
    """Have the options of a command say the bounds of their numbers in words, in errors and in help."""
    for parameter in command.params:
        numbers = parameter.type
        if not isinstance(numbers, _RANGES) or numbers.min_open or numbers.max_open or numbers.clamp:
            continue
        bounds = _bounds(numbers.min, numbers.max)
        parameter.type = click.types.convert_type(_parser(numbers, bounds))
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = f"{parameter.help.rstrip()}  [{bounds}]"


def _parser(numbers: click.IntRange | click.FloatRange, bounds: str) -> Callable[[str], float]:
    parse = click.INT if isinstance(numbers, click.IntRange) else click.FLOAT

    def number(value: str) -> float:
        parsed: float = parse(value)
        is_small = numbers.min is not None and parsed < numbers.min
        if is_small or (numbers.max is not None and parsed > numbers.max):
            raise click.BadParameter(f"{parsed:,} is out of bounds: it must be {bounds}.")
        return parsed

    return number


def _bounds(least: float | None, most: float | None) -> str:
    """Such as ``1 to 100``, or ``at least 1``."""
    if most is None:
        return f"at least {least:,}"
    return f"at most {most:,}" if least is None else f"{least:,} to {most:,}"
