"""`milepost bridge`."""

from __future__ import annotations

import os
from typing import Any

import click
from click.core import ParameterSource

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import Command
from milepost.client._cli.commands.options import ServerOptions, address_options, log_level_option, option
from milepost.client._cli.commands.other_packages import installation_hint
from milepost.client._cli.commands.parameter_types import pair, seconds, unique_keys

__all__ = ["bridge"]


_EPILOG = """\b
Examples:
  milepost bridge redis --channel 'progress:*' --map progress
  milepost bridge redis --publish 'ts:{job_id}' --stream milepost:events

Each option can also be set in the environment; the help of each bridge says how.
"""


class _Group(click.Group):
    command_class = Command


@click.group(cls=_Group, epilog=_EPILOG)
def bridge() -> None:
    """Connect jobs with channels that an application has already."""


def _not_empty(context: click.Context, parameter: click.Parameter, url: str) -> str:
    """Refuse an empty variable, which click takes for none."""
    variable = f"{context.auto_envvar_prefix}_URL"
    is_default = context.get_parameter_source("url") == ParameterSource.DEFAULT
    if is_default and variable in os.environ:
        raise click.UsageError(
            f"{variable} is empty: give the URL of the Redis server, or unset it for {url}."
        )
    return url


@bridge.command(
    "redis",
    examples=(
        "milepost bridge redis --channel 'ts:*' --map status",
        "milepost bridge redis --channel experiments --map experiment.toml --owner lab",
        "milepost bridge redis --publish 'ts:{label.milepost.dev/bridged-id}' --stream milepost:events",
    ),
)
@option(
    "--url",
    default="redis://127.0.0.1:6379/0",
    callback=_not_empty,
    metavar="URL",
    help="The Redis server: redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], rediss:// with TLS. Prefer the environment for "
    "a password: other users of the machine can read arguments.",
)
@option(
    "--channel",
    "channels",
    envvar="MILEPOST_BRIDGE_REDIS_CHANNEL",
    multiple=True,
    metavar="NAME",
    help="Report the messages of this channel, or of all that match a pattern with *, ? or [...]; repeat for several.",
)
@option(
    "--map",
    "mapping",
    default="",
    metavar="FILE|MODULE:FUNCTION|NAME",
    help="What messages mean: a file of TOML or JSON, a function, or a mapping that is shipped: status, progress, "
    "experiment. With --publish a function that makes of a channel and an event what is published.",
)
@option(
    "--kind",
    "-k",
    "kinds",
    envvar="MILEPOST_BRIDGE_REDIS_KIND",
    multiple=True,
    metavar="KIND",
    shell_complete=completion.kinds,
    help="Kind of the jobs to start, where --map is a function. With --publish and --stream: write only jobs of this "
    "kind; repeat for several.",
)
@option("--owner", default="", metavar="NAME", help="Owner of the jobs to start, or of those to write.")
@option(
    "--idle",
    type=seconds,
    default="1h",
    metavar="TIME",
    help="With a function: a job without a message for this long fails.",
)
@option(
    "--max-jobs",
    type=click.IntRange(1, 100_000),
    default=1_000,
    metavar="N",
    help="Maximum of jobs that have not ended; messages of others are dropped.",
)
@option(
    "--publish",
    default="",
    metavar="NAME",
    help="Publish the events of jobs on channels of this name, with {job_id}, {kind}, {owner} or {label.KEY} in it.",
)
@option("--stream", default="", metavar="KEY", help="Add the events of jobs to this stream.")
@option(
    "--max-length",
    type=click.IntRange(1),
    default=100_000,
    metavar="N",
    help="Approximate number of entries that the stream keeps.",
)
@option(
    "--label",
    "-l",
    "labels",
    envvar="MILEPOST_BRIDGE_REDIS_LABEL",
    type=pair,
    callback=unique_keys,
    metavar="KEY=VALUE",
    multiple=True,
    help="Write only jobs with this label; repeat to require several.",
)
@option(
    "--state-key",
    default="milepost:bridge",
    metavar="KEY",
    help="Redis key of the position from which the next bridge continues.",
)
@option(
    "--from-start",
    is_flag=True,
    help="Without a position, write all events that the server has, and not only new ones.",
)
@log_level_option("info")
@address_options
def redis(server: ServerOptions, log_level: str, url: str, **given: Any) -> None:
    """Connect jobs with channels of Redis.

    With --channel messages become reports of jobs, as --map says. A channel keeps nothing: what is published while the
    bridge or Redis is away is lost, and the log of each job says where something may be missing.

    With --publish and --stream the events of jobs become messages. Each is in the stream once, also across restarts of
    the bridge, which goes on where it stopped.
    """
    try:
        from milepost.client._cli.commands.bridge_runner import BridgeOptions, run_bridge
    except ImportError as error:
        if hint := installation_hint(error.name):
            raise click.UsageError(f"The bridge cannot run: {hint}") from error
        raise
    context = click.get_current_context()
    run_bridge(server, BridgeOptions(url=url, **given, given=_arguments(context)), log_level)


def _arguments(context: click.Context) -> set[str]:
    """The options that are arguments, by their long names."""
    return {
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name and context.get_parameter_source(parameter.name) == ParameterSource.COMMANDLINE
    }
