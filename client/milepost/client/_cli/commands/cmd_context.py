"""`milepost context`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from milepost.client._cli.commands import completion
from milepost.client._cli.commands.base_command import Command
from milepost.client._cli.commands.context_file import CONTEXT_NAME, ContextFile, ContextSettings
from milepost.client._cli.commands.options import checked_address, option, output_option
from milepost.client._cli.rendering.json_line import Json, dump_json
from milepost.client._cli.standard_streams import write_stderr, write_stdout

__all__ = ["context"]

_EPILOG = """\b
Examples:
  milepost context set prod --address milepost.example.com:7070 --tls --token -
  milepost context use prod
  milepost context list
  milepost context use --none
  milepost list --context prod

Contexts are in ~/.config/milepost/config.toml ($XDG_CONFIG_HOME), readable by you only. An option comes before the
variable in the environment, that before the context, and that before the default. The current context holds unless
another address is given.
"""

_ADDRESS, _CREDENTIALS = 2, 3
"""Columns of the list that shrink on a narrow terminal."""

_NAME = click.argument("name", shell_complete=completion.context_names)


class _Group(click.Group):
    command_class = Command


@click.group(cls=_Group, epilog=_EPILOG)
def context() -> None:
    """Manage contexts: servers and the credentials for them."""


@context.command("list")
@output_option
def list_contexts(output: str) -> None:
    """List the contexts. It shows no token."""
    file = ContextFile.load()
    rows = [("", "NAME", "ADDRESS", "CREDENTIALS", "TLS")]
    for name, settings in sorted(file.contexts.items()):
        if output == "json":
            write_stdout(dump_json(_as_json(name, settings, current=name == file.current)))
        mark = "*" if name == file.current else ""
        rows.append((mark, name, settings.get("address", ""), _credentials(settings), _tls(settings)))
    if output == "json":
        return
    if len(rows) == 1:
        write_stderr(f"There are no contexts in {str(file.path)!r}. `milepost context set NAME` makes one.")
        return
    from milepost.client._cli.commands.printing import print_report
    from milepost.client._cli.rendering.diff_report import Grid

    print_report([Grid(rows, shrink_order=(_CREDENTIALS, _ADDRESS))], output)


@context.command()
@click.argument("name", required=False, shell_complete=completion.context_names)
@click.option(
    "--none", "no_context", is_flag=True, help="Use no context any more: the default address holds."
)
def use(name: str | None, *, no_context: bool) -> None:
    """Make a context the current one."""
    if (name is None) != no_context:
        raise click.UsageError("Give the NAME of a context, or --none.")
    file = ContextFile.load()
    if name is not None:
        file.find(name)
    file.current = name or ""
    file.save()


@context.command()
@_NAME
def delete(name: str) -> None:
    """Delete a context, with its token."""
    file = ContextFile.load()
    file.find(name)
    del file.contexts[name]
    if file.current == name:
        file.current = ""
    file.save()


def _file(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The absolute path of a file; an empty value stays."""
    if not value:
        return value
    path = Path(value).expanduser().absolute()
    if not path.is_file():
        raise click.BadParameter(f"{value!r} is not a file.")
    return str(path)


@context.command("set")
@_NAME
@option("--address", metavar="HOST:PORT", help="Address of the server.")
@option("--token", metavar="TOKEN|-", help="Bearer token, which the file then holds; - reads it from stdin.")
@option("--token-file", callback=_file, metavar="FILE", help="File with the token, in place of one.")
@option("--tls/--no-tls", default=None, help="Connect with TLS.")
@option("--tls-ca", callback=_file, metavar="FILE", help="CA bundle for the server's certificate (PEM).")
@option(
    "--tls-client-cert", "--tls-cert", "tls_cert", callback=_file, metavar="FILE", help="Certificate (PEM)."
)
@option(
    "--tls-client-key", "--tls-key", "tls_key", callback=_file, metavar="FILE", help="Its private key (PEM)."
)
@option(
    "--allow-plaintext-token/--no-allow-plaintext-token",
    default=None,
    help="Send the token unencrypted beyond this machine.",
)
def set_context(name: str, **given: Any) -> None:
    """Make a context, or change what is given of it. An empty value removes a setting."""
    from milepost.client._transport.token_source import checked_token

    if not CONTEXT_NAME.fullmatch(name):
        raise click.BadParameter(
            f"{name!r} is not of letters, digits, '.', '_', '-', up to 64, beginning with a letter or a digit.",
            param_hint="'NAME'",
        )
    if given["token"] is not None and given["token_file"] is not None:
        raise click.UsageError("Give --token or --token-file, not both.")
    if given["address"]:
        checked_address(given["address"])
    if given["token"] is not None:
        text = sys.stdin.readline() if given["token"] == "-" else given["token"]
        try:
            given["token"] = checked_token(text)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", param_hint="'--token'") from error
    file = ContextFile.load()
    settings = dict(file.contexts.get(name, {}))
    for key, other in (("token", "token_file"), ("token_file", "token")):
        if given[key] is not None:
            settings.pop(other, None)
    settings |= {key: value for key, value in given.items() if value is not None}
    file.contexts[name] = {key: value for key, value in settings.items() if value not in ("", False)}
    file.save()


def _credentials(settings: ContextSettings) -> str:
    found = ["token"] if "token" in settings else []
    if "token_file" in settings:
        found.append(f"token file {settings['token_file']}")
    if "tls_cert" in settings:
        found.append(f"certificate {settings['tls_cert']}")
    return ", ".join(found) or "none"


def _tls(settings: ContextSettings) -> str:
    return "yes" if any(settings.get(key) for key in ("tls", "tls_ca", "tls_cert")) else "no"


def _as_json(name: str, settings: ContextSettings, *, current: bool) -> dict[str, Json]:
    """All settings but the token, of which it says that there is one."""
    shown = {key: value for key, value in settings.items() if key != "token"}
    return {"name": name, "current": current, **shown, "hasToken": "token" in settings}
