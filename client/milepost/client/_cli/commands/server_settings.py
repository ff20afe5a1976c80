"""Where the settings of a connection come from: options, the environment, a context, or the code of a worker.

An option comes before the environment, that before the context, and that before what code or Milepost itself says;
each setting by itself. A token and a token file are one setting, and so are a certificate and its key.

The *current* context holds unless another address is given: its credentials are for its own server.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from milepost.client._cli.commands.context_file import ContextFile, ContextSettings

__all__ = ["PARAMETERS", "server_settings"]

_SETTINGS: Final = (
    ("address",),
    ("token", "token_file"),
    ("tls",),
    ("tls_ca",),
    ("tls_cert", "tls_key"),
    ("allow_plaintext_token",),
)
"""The settings by the parameters of their options, which are their names in the credentials file, too."""

PARAMETERS: Final = frozenset({"context_name", *itertools.chain(*_SETTINGS)})
"""The parameters of the options of the connection."""

_PATHS: Final = frozenset({"token_file", "tls_ca", "tls_cert", "tls_key"})


def server_settings(
    context: click.Context, parameters: Mapping[str, Any], *, code_address: str | None = None
) -> dict[str, Any]:
    """The settings that somebody has given, as arguments of `Client`.

    Args:
        context: Says where the parameters come from.
        parameters: The parameters of the options, by name; ``context_name`` is the context.
        code_address: The address in the code of a worker; None for none.

    Raises:
        click.UsageError: There is no such context, or a setting is wrong.
    """
    layers: list[ContextSettings] = [_layer(context, parameters, source) for source in _SOURCES]
    given = next((layer["address"] for layer in layers if "address" in layer), code_address)
    layers.append(_of_context(parameters.get("context_name"), given))
    merged = dict(_merge(layers))
    if (merged.get("tls_cert") is None) != (merged.get("tls_key") is None):
        raise click.UsageError("--tls-client-cert and --tls-client-key go together.")
    return _arguments(merged)


_SOURCES: Final = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def _layer(context: click.Context, parameters: Mapping[str, Any], source: ParameterSource) -> dict[str, Any]:
    """The settings from one source."""
    return {
        name: parameters[name]
        for names in _SETTINGS
        for name in names
        if context.get_parameter_source(name) is source and parameters.get(name) is not None
    }


def context_in_use(context: click.Context, parameters: Mapping[str, Any]) -> str:
    """The name of the context whose server a command calls; empty if it is none's.

    Raises:
        click.UsageError: There is no such context.
    """
    layers = [_layer(context, parameters, source) for source in _SOURCES]
    given = next((layer["address"] for layer in layers if "address" in layer), None)
    name = parameters.get("context_name") or ContextFile.load().current
    address = ContextFile.load().find(name).get("address") if name else None
    return name if address is not None and given in (None, address) else ""


def _of_context(name: str | None, address: str | None) -> ContextSettings:
    """The settings of the named context, or of the current one, unless another address than its own is given."""
    file = ContextFile.load()
    if not (name or file.current):
        return {}
    settings = {
        key: Path(value).expanduser() if key in _PATHS else value
        for key, value in file.find(name or file.current).items()
    }
    if not name and address not in (None, settings.get("address")):
        return {}
    for key in _PATHS - {"token_file"}:
        if key in settings and not settings[key].is_file():
            raise click.UsageError(
                f"{key!r} of the context {name or file.current!r} is not a file: {str(settings[key])!r}."
            )
    if "token" in settings and not file.is_private:
        click.echo(
            f"Warning: {str(file.path)!r} has a token, and others can read it: chmod 600 it.", err=True
        )
    return settings


def _merge(layers: Sequence[ContextSettings]) -> Iterator[tuple[str, Any]]:
    """For each setting the value of the first layer that has it."""
    for names in _SETTINGS:
        for layer in layers:
            if found := {name: layer[name] for name in names if name in layer}:
                yield from found.items()
                break


def _arguments(settings: dict[str, Any]) -> dict[str, Any]:
    from milepost.client._transport.token_source import TokenFile, checked_token

    if "token" in settings:
        settings.pop("token_file", None)
        try:
            checked_token(settings["token"])
        except ValueError as error:
            raise click.UsageError(f"The token cannot be used: {error}.") from error
    elif "token_file" in settings:
        settings["token"] = TokenFile(settings.pop("token_file"))
    return settings
