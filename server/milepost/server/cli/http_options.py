"""Options of ``serve`` for HTTP."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Final

import click

from milepost.server.cli.listen_options import parse_address
from milepost.server.cli.options import option, with_options
from milepost.server.http.http_settings import HttpSettings

_ORIGIN: Final = re.compile(r"https?://[^/\s@?#]+")
_HOST: Final = re.compile(r"[^/:\s@?#]+")


def _origin(value: str) -> str:
    """Validate an origin, as browsers send it. Raises click.BadParameter."""
    if value != "*" and not _ORIGIN.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is not an origin such as https://app.example.com: scheme, host, and the port where it is not "
            "that of the scheme."
        )
    return value.lower()


def _host(value: str) -> str:
    """Validate the name of a host. Raises click.BadParameter."""
    if not _HOST.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is not a host name such as milepost.example.com, without a port."
        )
    return value.lower()


_OPTIONS = (
    option(
        "--http",
        type=lambda value: "" if value == "off" else parse_address(value),
        metavar="HOST:PORT",
        default="127.0.0.1:7080",
        help="Address of HTTP, for browsers: pages, REST, server-sent events and Connect; `off` for none.",
    ),
    option(
        "--http-allow-origin",
        type=_origin,
        metavar="ORIGIN",
        multiple=True,
        help="Origin of another site whose pages may call, such as https://app.example.com; repeatable. With `*` those "
        "of any site may, with a token of their own. Default: none.",
    ),
    option(
        "--http-allow-host",
        type=_host,
        metavar="NAME",
        multiple=True,
        help="Name by which pages reach a server without credentials, besides addresses and localhost; repeatable. "
        "Default: none.",
    ),
)


def http_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator with the options of HTTP; the command gets them as ``http``, None where there is no HTTP."""

    @functools.wraps(command)
    def with_http(
        *arguments: Any,
        http: str,
        http_allow_origin: tuple[str, ...],
        http_allow_host: tuple[str, ...],
        **options: Any,
    ) -> Any:
        settings = HttpSettings(http, http_allow_origin, http_allow_host) if http else None
        return command(*arguments, http=settings, **options)

    return with_options(with_http, _OPTIONS)
