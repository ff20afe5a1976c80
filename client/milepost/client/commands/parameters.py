"""What the values of options may look like. Each function reads one, and says what is wrong with it."""

from __future__ import annotations

import re
from typing import Final

import click
from google.protobuf.json_format import Parse, ParseError

from milepost.client.execution.progress import Reader, reader
from milepost.contract.limits import STAGE_ID
from milepost.v1 import Stage

__all__ = ["pair", "progress_reader", "seconds", "stage", "stage_id"]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_LENGTH: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_LONGEST: Final = 315_576_000_000  # the bound of a protobuf duration


def seconds(told: str) -> float:
    """A length of time: seconds, or with units as in ``90s``, ``1m30s``, ``2h``."""
    if _NUMBER.fullmatch(told):
        length = float(told)
    elif _LENGTH.fullmatch(told):
        length = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(told))
    else:
        raise click.BadParameter(
            f"{told!r} is not a length of time: give seconds, or units as in 90s, 1m30s, 2h."
        )
    if length > _LONGEST:
        raise click.BadParameter(f"{told} is longer than {_LONGEST} seconds, 10,000 years.")
    return length


def pair(told: str) -> tuple[str, str]:
    """A name and a value, as ``name=value``."""
    name, equals, value = told.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{told!r} is not of the form KEY=VALUE.")
    return name, value


def stage(told: str) -> Stage:
    """A stage: its id, or a JSON object with ``stageId``, ``title``, ``total`` … as in the contract."""
    if not told.lstrip().startswith("{"):
        return Stage(stage_id=told)
    try:
        return Parse(told, Stage())
    except ParseError as error:
        raise click.BadParameter(f"{told!r} is not a stage: {error}") from error


def stage_id(told: str) -> str:
    """The id of a stage; empty for none."""
    if told and not STAGE_ID.fullmatch(told):
        raise click.BadParameter(f"{told!r} is no id of a stage: it has to match {STAGE_ID.pattern}.")
    return told


def progress_reader(told: str) -> Reader:
    """What finds progress in lines: ``percent``, ``json``, ``regex`` or ``regex:PATTERN``."""
    try:
        return reader(told)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
