"""What the values of options may look like."""

from __future__ import annotations

import re
from typing import Final

import click
from google.protobuf.json_format import Parse, ParseError

from milepost.v1 import Stage

__all__ = ["PAIR", "SECONDS", "STAGE", "Pair", "Seconds", "StageType"]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_LENGTH: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_LONGEST: Final = 315_576_000_000  # the bound of a protobuf duration
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


class Seconds(click.ParamType[float]):
    """A length of time: seconds, or with units as in ``90s``, ``1m30s``, ``2h``."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, int | float):
            return float(value)
        told = str(value).strip()
        if _NUMBER.fullmatch(told):
            seconds = float(told)
        elif _LENGTH.fullmatch(told):
            seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(told))
        else:
            raise click.BadParameter(
                f"{told!r} is not a length of time: give seconds, or units as in 90s, 1m30s, 2h.", ctx, param
            )
        if seconds > _LONGEST:
            raise click.BadParameter(f"{told} is longer than {_LONGEST} seconds, 10,000 years.", ctx, param)
        return seconds


class Pair(click.ParamType[tuple[str, str]]):
    """A name and a value, as ``name=value``."""

    name = "key=value"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The name and the value."""
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value!r} is not of the form key=value.", ctx, param)
        return name, rest


class StageType(click.ParamType[Stage]):
    """A stage: its id, or a JSON object with ``stageId``, ``title``, ``total`` … as in the contract."""

    name = "id|json"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Stage:
        """The stage."""
        if isinstance(value, Stage):
            return value
        told = str(value)
        if not told.lstrip().startswith("{"):
            return Stage(stage_id=told)
        try:
            return Parse(told, Stage())
        except ParseError as error:
            raise click.BadParameter(f"{told!r} is not a stage: {error}", ctx, param) from error


SECONDS: Final = Seconds()
PAIR: Final = Pair()
STAGE: Final = StageType()
