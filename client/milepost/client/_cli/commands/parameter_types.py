"""What the values of options may look like. Each function reads one, and says what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from milepost.contract import durations
from milepost.contract.limits import STAGE_ID

if TYPE_CHECKING:
    from milepost.client._cli.exec.progress_patterns import Reader
    from milepost.v1 import Stage

__all__ = ["pair", "progress_reader", "seconds", "stage", "stage_id"]


def seconds(told: str) -> float:
    """A length of time: seconds, or with units as in ``90s``, ``1m30s``, ``2h``."""
    try:
        return durations.seconds(told)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def pair(told: str) -> tuple[str, str]:
    """A name and a value, as ``name=value``."""
    name, equals, value = told.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{told!r} is not of the form KEY=VALUE.")
    return name, value


def stage(told: str) -> Stage:
    """A stage: its id, or a JSON object with ``stageId``, ``title``, ``total`` … as in the contract."""
    from google.protobuf.json_format import Parse, ParseError

    from milepost.v1 import Stage

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
    from milepost.client._cli.exec.progress_patterns import reader

    try:
        return reader(told)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
