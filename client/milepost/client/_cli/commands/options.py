"""Options that commands share. Each can also be set by an environment variable, named after it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click
from click.core import ParameterSource

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.parameter_types import pair, seconds, unique_keys
from milepost.client._cli.commands.server_settings import PARAMETERS, server_settings
from milepost.client._cli.rendering.json_line import always_print
from milepost.client._cli.standard_streams import write_stderr
from milepost.client._transport.address_syntax import is_address
from milepost.client._transport.default_address import DEFAULT_ADDRESS

if TYPE_CHECKING:
    from click.types import OptionHelpExtra

    from milepost.client import Client
    from milepost.client._transport.channel import LazyChannel
    from milepost.client._transport.target import Target
    from milepost.client.errors import MilepostError

__all__ = [
    "FORMATS",
    "ServerOptions",
    "address_options",
    "checked_address",
    "connection_options",
    "input_options",
    "job_options",
    "log_level_option",
    "option",
    "output_option",
    "server_options",
    "spool_option",
    "unusable_file",
]

FORMATS: Final = ("auto", "plain", "json")
_LOG_LEVELS: Final = ("debug", "info", "warning", "error")
# Seconds: a server on a busy machine starts within them.
_CONNECT_TIMEOUT: Final = 5.0

_Decorator: TypeAlias = "Callable[[Callable[..., None]], Callable[..., None]]"


class Option(click.Option):
    """An option whose help omits an empty default, and shows a described one without further brackets."""

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """The notes in brackets after the help."""
        extra = super().get_help_extra(ctx)
        if self.default == "":
            extra.pop("default", None)
        elif isinstance(self.show_default, str):
            # click puts the words in parentheses, which stand in brackets already.
            extra["default"] = self.show_default
        return extra


option = functools.partial(click.option, cls=Option)
"""Declare an option. Its environment variable is MILEPOST_COMMAND_OPTION unless one is given."""


@dataclass(frozen=True)
class ServerOptions:
    """How to reach the server, and how long to wait for it, from `server_options`.

    Attributes:
        settings: What was given by options, the environment and a context, as arguments of `Client`.
        connect_timeout: Seconds to wait for a server that is unavailable.
        json: Whether the output is for programs.
    """

    settings: Mapping[str, Any]
    connect_timeout: float = 0.0
    json: bool = False

    @property
    def address(self) -> str:
        """Address of the server."""
        address: str = self.settings.get("address", DEFAULT_ADDRESS)
        return address

    def client(self, *, wait: bool = True) -> Client:
        """A client that connects on first use, and then waits up to ``connect_timeout`` seconds for the server."""
        from milepost.client import Client

        client = Client(**self.settings)
        if wait:
            self._wait_on(client._channel)
        return client

    def _wait_on(self, channel: LazyChannel) -> None:
        channel.wait_for_server(self.connect_timeout, self._announce_wait)

    def _announce_wait(self, error: MilepostError) -> None:
        """Tell a person why nothing happens; programs learn from the exit status."""
        from milepost.client._cli.commands.outcome import explain
        from milepost.client.errors import LimitReached

        if not sys.stderr.isatty() or self.json:
            return
        if isinstance(error, LimitReached):
            write_stderr(f"{explain(error)} Trying again for a while …")
        else:
            write_stderr(f"Waiting up to {self.connect_timeout:g} s for the server at {self.address} …")

    def channel(self) -> LazyChannel:
        """The channel of `client`, for calls that the client has no method for: make the first one `patiently`."""
        from milepost.client._transport.channel import LazyChannel

        channel = LazyChannel(self.target())
        self._wait_on(channel)
        return channel

    def target(self) -> Target:
        """The server and the credentials for it."""
        from milepost.client._transport.target import Target

        settings = dict(self.settings)
        return Target.of(settings.pop("address", None), **settings)


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the connection, which the command gets as one argument, ``server``."""
    connect_timeout = option(
        "--connect-timeout",
        envvar="MILEPOST_CONNECT_TIMEOUT",
        type=seconds,
        default=f"{_CONNECT_TIMEOUT:g}s",
        metavar="TIME",
        help="Time to wait for an unavailable server, such as one that is starting.",
    )
    return address_options(connect_timeout(command))


def address_options(command: Callable[..., None]) -> Callable[..., None]:
    """Like `server_options`, for commands that wait for the server as long as they run."""

    @functools.wraps(command)
    def with_server(*, connect_timeout: float = 0.0, **parameters: Any) -> None:
        settings = server_settings(click.get_current_context(), parameters)
        checked_address(settings.get("address", DEFAULT_ADDRESS))
        others = {name: value for name, value in parameters.items() if name not in PARAMETERS}
        command(server=ServerOptions(settings, connect_timeout, others.get("output") == "json"), **others)

    return connection_options(with_server)


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the server's address and the credentials, for `server_settings`."""
    file = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
    return _combined(
        option(
            "--context",
            "context_name",
            envvar="MILEPOST_CONTEXT",
            metavar="NAME",
            shell_complete=completion.context_names,
            help="Context for the settings that are not given here; see `milepost context`. Default: the current one.",
        ),
        option(
            "--address",
            envvar="MILEPOST_ADDRESS",
            default=DEFAULT_ADDRESS,
            metavar="HOST:PORT",
            help="Address of the server.",
        ),
        option(
            "--token",
            envvar="MILEPOST_TOKEN",
            metavar="TOKEN",
            help="Bearer token. Prefer --token-file: other users of the machine can read arguments.",
        ),
        option(
            "--token-file",
            envvar="MILEPOST_TOKEN_FILE",
            type=file,
            metavar="FILE",
            help="File with the token; read again when the server refuses the token.",
        ),
        option(
            "--allow-plaintext-token",
            is_flag=True,
            envvar="MILEPOST_ALLOW_PLAINTEXT_TOKEN",
            help="Send the token unencrypted beyond this machine.",
        ),
        option("--tls", is_flag=True, envvar="MILEPOST_TLS", help="Connect with TLS."),
        option(
            "--tls-ca",
            envvar="MILEPOST_TLS_CA",
            type=file,
            metavar="FILE",
            help="CA bundle for the server's certificate (PEM); implies --tls. Default: the system's.",
        ),
        option(
            "--tls-client-cert",
            "--tls-cert",
            "tls_cert",
            envvar="MILEPOST_TLS_CLIENT_CERT",
            type=file,
            metavar="FILE",
            help="Certificate of this client (PEM); implies --tls.",
        ),
        option(
            "--tls-client-key",
            "--tls-key",
            "tls_key",
            envvar="MILEPOST_TLS_CLIENT_KEY",
            type=file,
            metavar="FILE",
            help="Private key of that certificate (PEM).",
        ),
    )(command)


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


def input_options(prefix: str) -> _Decorator:
    """Add the options of a job's input, for `read_input`; ``prefix`` is that of their environment variables."""
    return _combined(
        option(
            "--input",
            "-i",
            "given",
            envvar=f"{prefix}_INPUT",
            type=click.UNPROCESSED,
            metavar="JSON|@FILE|-",
            help="Input of the job, a JSON object; - reads stdin.",
        ),
        option(
            "--set",
            "-s",
            "settings",
            envvar=f"{prefix}_SET",
            type=pair,
            metavar="KEY=VALUE",
            multiple=True,
            help="Set one value of the input, parsed as JSON if possible, else text. "
            "Dots in KEY address nested objects.",
        ),
    )


def job_options(prefix: str) -> _Decorator:
    """Add owner, labels and parent of a new job; ``prefix`` is that of their environment variables."""
    return _combined(
        option("--owner", default="", metavar="NAME", help="Owner of the job."),
        option(
            "--label",
            "-l",
            "labels",
            envvar=f"{prefix}_LABEL",
            type=pair,
            callback=unique_keys,
            metavar="KEY=VALUE",
            multiple=True,
            help="Label to filter by.",
        ),
        option(
            "--parent",
            default="",
            metavar="JOB_ID",
            shell_complete=completion.job_ids,
            help="Parent job; cancelling it cancels this job too.",
        ),
    )


def spool_option(help_text: str) -> _Decorator:
    """Add the directory of undelivered reports."""
    return option(
        "--spool",
        envvar="MILEPOST_SPOOL",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help=help_text,
    )


def unusable_file(error: OSError, spool: Path | None) -> click.ClickException:
    """The error of a file that cannot be used: of the spool, or another one, such as a certificate.

    Raises:
        OSError: The error itself, if it is of no file.
    """
    path = Path(error.filename) if isinstance(error.filename, str) else None
    if spool is not None and (path is None or path.is_relative_to(spool) or spool.is_relative_to(path)):
        return click.BadParameter(
            f"{str(path or spool)!r} cannot be used: {error.strerror or error}.", param_hint="'--spool'"
        )
    if path is None:
        raise error
    return click.ClickException(f"{str(path)!r} cannot be used: {error.strerror}.")


def log_level_option(default: str) -> _Decorator:
    """Add the log level of the SDK."""
    return option(
        "--log-level",
        envvar="MILEPOST_LOG_LEVEL",
        type=click.Choice(_LOG_LEVELS),
        default=default,
        help="Minimum level of log lines on stderr.",
    )


def _combined(*options: _Decorator) -> _Decorator:
    """Combine options into one decorator, which adds them in this order."""

    def add_all(command: Callable[..., None]) -> Callable[..., None]:
        for add in reversed(options):
            command = add(command)
        return command

    return add_all


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
    if not is_address(value):
        raise click.BadParameter(f"{value!r} is not of the form HOST:PORT.", param_hint="'--address'")
    return value
