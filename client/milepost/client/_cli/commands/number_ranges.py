"""Bounds of numbers in words: Click says ``-1000<=x<=1000`` in help and errors."""

from __future__ import annotations

from typing import Any, Final

import click

__all__ = ["in_words"]


class _RangeInWords(click.ParamType[Any]):
    """The numbers of a range of Click, bounds included."""

    def __init__(self, numbers: click.IntRange | click.FloatRange) -> None:
        self.name = "number"
        self._number = click.INT if isinstance(numbers, click.IntRange) else click.FLOAT
        self._min, self._max = numbers.min, numbers.max

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse a number within the bounds."""
        number = self._number.convert(value, param, ctx)
        is_small = self._min is not None and number < self._min
        if is_small or (self._max is not None and number > self._max):
            self.fail(f"{number:,} is out of bounds: it must be {self.bounds}.", param, ctx)
        return number

    @property
    def bounds(self) -> str:
        """Such as ``1 to 100``, or ``at least 1``."""
        if self._max is None:
            return f"at least {self._min:,}"
        return f"at most {self._max:,}" if self._min is None else f"{self._min:,} to {self._max:,}"


_RANGES: Final = (click.IntRange, click.FloatRange)


def in_words(command: click.Command) -> None:
    """Have the options of a command say the bounds of their numbers in words, in errors and in help."""
    for parameter in command.params:
        numbers = parameter.type
        if not isinstance(numbers, _RANGES) or numbers.min_open or numbers.max_open or numbers.clamp:
            continue
        parameter.type = worded = _RangeInWords(numbers)
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = f"{parameter.help.rstrip()}  [{worded.bounds}]"
