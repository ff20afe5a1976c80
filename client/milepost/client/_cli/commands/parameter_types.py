"""Types of option values: functions that parse a value or raise click.BadParameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from milepost.contract import durations
from milepost.contract.limits import STAGE_ID
from milepost.contract.name_rules import name_rule

if TYPE_CHECKING:
    from milepost.client._cli.exec.progress_patterns import ProgressParser
    from milepost.v1 import Stage

__all__ = ["pair", "progress_parser", "seconds", "stage", "stage_id", "unique_keys"]


def seconds(value: str) -> float:
    """Parse a duration in seconds, or with units as in ``90s``, ``1m30s``, ``2h``."""
    try:
        return durations.seconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def pair(text: str) -> tuple[str, str]:
    """Parse ``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"{text!r} is not of the form KEY=VALUE.")
    return key, value


def unique_keys(
    context: click.Context, parameter: click.Parameter, pairs: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """Callback of options for labels: refuse a key with two values, since one of them would be lost."""
    found: dict[str, str] = {}
    for key, value in pairs:
        if found.setdefault(key, value) != value:
            raise click.BadParameter(f"The label {key!r} has two values, {found[key]!r} and {value!r}.")
    return found


def stage(value: str) -> Stage:
    """Parse a stage: its id, or a JSON object with ``stageId``, ``title``, ``total`` … as in the contract."""
    from google.protobuf.json_format import Parse, ParseError

    from milepost.v1 import Stage

    if not value.lstrip().startswith("{"):
        return Stage(stage_id=value)
    try:
        return Parse(value, Stage())
    except ParseError as error:
        raise click.BadParameter(f"{value!r} is not a stage: {error}") from error


def stage_id(value: str) -> str:
    """Check the id of a stage; empty for none."""
    if value and not STAGE_ID.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not the id of a stage: {name_rule(STAGE_ID)}.")
    return value


def progress_parser(value: str) -> ProgressParser:
    """Make a parser of output lines: ``auto``, ``percent``, ``json``, ``regex`` or ``regex:PATTERN``."""
    from milepost.client._cli.exec import progress_patterns

    try:
        return progress_patterns.progress_parser(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
