"""The options that several commands have. Each one has an environment twin, whose name follows from its own."""

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

__all__ = ["FORMATS", "LOG_LEVELS", "Server", "checked_address", "option", "output_option", "server_options"]

FORMATS: Final = ("auto", "plain", "json")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class Option(click.Option):
    """An option whose help does not mention a default that is empty."""

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """What stands in brackets behind its help."""
        extra = super().get_help_extra(ctx)
        if self.default == "":
            extra.pop("default", None)
        return extra


option = functools.partial(click.option, cls=Option)
"""An option. Its environment twin is MILEPOST_COMMAND_OPTION where none is named."""


@dataclass(frozen=True)
class Server:
    """Where the server is, and who is calling: what `server_options` give."""

    address: str
    token: str | None
    tls: bool
    tls_ca: Path | None

    def client(self) -> Client:
        """A client of it; nothing is connected yet."""
        from milepost.client import Client

        return Client(self.address, token=self.token, tls=self.tls, tls_ca=self.tls_ca)


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that say where the server is, and passes them on as one, ``server``."""

    @functools.wraps(command)
    def with_server(
        *, address: str, token: str | None, tls: bool, tls_ca: Path | None, **others: object
    ) -> None:
        command(server=Server(checked_address(address), token, tls, tls_ca), **others)

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
    """Adds the options for the form of the output."""
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
    if given and context.params.get("output") != "json":
        on_the_command_line = ParameterSource.COMMANDLINE
        if context.get_parameter_source("always_print") == on_the_command_line:
            raise click.UsageError("--always-print requires --output json.")
    always_print.set(given)


def checked_address(told: str) -> str:
    """The address, checked as far as a typing error goes."""
    host, colon, port = told.rpartition(":")
    if told.startswith(("unix:", "dns:", "ipv4:", "ipv6:")):
        return told
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise click.BadParameter(f"{told!r} is not of the form HOST:PORT.", param_hint="'--address'")
    return told
