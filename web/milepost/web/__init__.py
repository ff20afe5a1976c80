"""Milepost for browsers: REST, server-sent events, Connect and pages, as an ASGI application to mount."""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from milepost.web.client_backend import Authorize, ClientCall
    from milepost.web.mounted import milepost_app

__all__ = ["Authorize", "ClientCall", "milepost_app"]

_MODULES: Final = {"Authorize": "client_backend", "ClientCall": "client_backend", "milepost_app": "mounted"}

if not TYPE_CHECKING:
    # Imported on first use, since the server uses the application without the SDK.
    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
