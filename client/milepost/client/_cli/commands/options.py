"""Options that commands share. Each can also be set by an environment variable, named after it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from milepost.client._cli.rendering.json_line import always_print
from milepost.client._transport.default_address import DEFAULT_ADDRESS

if TYPE_CHECKING:
    from click.types import OptionHelpExtra

    from milepost.client import Client

__all__ = [
    "FORMATS",
    "LOG_LEVELS",
    "ServerOptions",
    "checked_address",
    "option",
    "output_option",
    "server_options",
]

FORMATS: Final = ("auto", "plain", "json")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class Option(click.Option):
    """An option whose help omits an empty default."""

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """The notes in brackets after the help."""
        extra = super().get_help_extra(ctx)
        if self.default == "":
            extra.pop("default", None)
        return extra


option = functools.partial(click.option, cls=Option)
"""Declare an option. Its environment variable is MILEPOST_COMMAND_OPTION unless one is given."""


@dataclass(frozen=True)
class ServerOptions:
    """Address and credentials of the server, from `server_options`."""

    address: str
    token: str | None
    tls: bool
    tls_ca: Path | None

    def client(self) -> Client:
        """A client that connects on first use."""
        from milepost.client import Client

        return Client(self.address, token=self.token, tls=self.tls, tls_ca=self.tls_ca)


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the connection, which the command gets as one argument, ``server``."""

    @functools.wraps(command)
    def with_server(
        *, address: str, token: str | None, tls: bool, tls_ca: Path | None, **others: object
    ) -> None:
        command(server=ServerOptions(checked_address(address), token, tls, tls_ca), **others)

    for add in (
        option(
            "--tls-ca",
            envvar="MILEPOST_TLS_CA",
            type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
            metavar="FILE",
            help="CA bundle for the server's certificate (PEM); implies --tls. Default: the system's.",
        ),
        option("--tls", is_flag=True, envvar="MILEPOST_TLS", help="Connect with TLS."),
        option(
            "--token",
            envvar="MILEPOST_TOKEN",
            metavar="TOKEN",
            help="Bearer token. Prefer MILEPOST_TOKEN: other users of the machine can read arguments.",
        ),
        option(
            "--address",
            envvar="MILEPOST_ADDRESS",
            default=DEFAULT_ADDRESS,
            metavar="HOST:PORT",
            help="Address of the server.",
        ),
    ):
        with_server = add(with_server)
    return with_server


def output_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the output format."""
    for add in (
        option(
            "--always-print",
            envvar="MILEPOST_ALWAYS_PRINT",
            is_flag=True,
            expose_value=False,
            callback=_always_print,
            help="With --output json, include fields that are zero or empty.",
        ),
        option(
            "--output",
            "-o",
            envvar="MILEPOST_OUTPUT",
            type=click.Choice(FORMATS),
            default="auto",
            # Parsed first, so that errors about other options are formatted accordingly.
            is_eager=True,
            help="Output format. auto: drawn on a terminal, plain text elsewhere; json: one object per line.",
        ),
    ):
        command = add(command)
    return command


def _always_print(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    is_argument = context.get_parameter_source("always_print") == ParameterSource.COMMANDLINE
    if given and is_argument and context.params.get("output") != "json":
        raise click.UsageError("--always-print requires --output json.")
    always_print.set(given)


def checked_address(value: str) -> str:
    """Check the syntax of an address, to catch typing errors.

    Raises:
        click.BadParameter: It is neither HOST:PORT nor has one of gRPC's schemes.
    """
    host, colon, port = value.rpartition(":")
    if value.startswith(("unix:", "dns:", "ipv4:", "ipv6:")):
        return value
    if "/" in value or not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise click.BadParameter(f"{value!r} is not of the form HOST:PORT.", param_hint="'--address'")
    return value
