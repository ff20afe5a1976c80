"""The server of a worker, for the clients that its handlers make."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["export_settings", "restored_settings"]

_VARIABLES: Final = {
    "address": "MILEPOST_ADDRESS",
    "tls": "MILEPOST_TLS",
    "tls_ca": "MILEPOST_TLS_CA",
    "tls_cert": "MILEPOST_TLS_CLIENT_CERT",
    "tls_key": "MILEPOST_TLS_CLIENT_KEY",
    "allow_plaintext_token": "MILEPOST_ALLOW_PLAINTEXT_TOKEN",
}


_TOKEN_VARIABLES: Final = ("MILEPOST_TOKEN", "MILEPOST_TOKEN_FILE")


@contextmanager
def restored_settings() -> Iterator[None]:
    """Restore afterwards what `export_settings` changes, for programs that call the command as a function."""
    names = (*_VARIABLES.values(), *_TOKEN_VARIABLES)
    before = {name: os.environ[name] for name in names if name in os.environ}
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


def export_settings(settings: Mapping[str, Any]) -> None:
    """Set the variables that `Client` reads to `settings`, the arguments that the command got for the worker.

    So a handler's ``Client()`` has the worker's server, also where options or a context name it, and also in a process.
    """
    from milepost.client._transport.token_source import TokenFile

    for name, variable in _VARIABLES.items():
        if name in settings:
            value = settings[name]
            os.environ[variable] = str(int(value)) if isinstance(value, bool) else str(value)
    if "token" in settings:
        token = settings["token"]
        if isinstance(token, TokenFile):
            _replace("MILEPOST_TOKEN", "MILEPOST_TOKEN_FILE", str(token.path))
        else:
            _replace("MILEPOST_TOKEN_FILE", "MILEPOST_TOKEN", token)


def _replace(old: str, new: str, value: str) -> None:
    os.environ.pop(old, None)
    os.environ[new] = value
