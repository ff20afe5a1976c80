"""The application over a client, for those who mount it in their own."""

from __future__ import annotations

from starlette.applications import Starlette

from milepost.client import Client
from milepost.web.app import web_app
from milepost.web.client_backend import Authorize, ClientBackend


def milepost_app(client: Client, *, authorize: Authorize) -> Starlette:
    """An application to mount into another one.

    ::

        app.mount("/milepost", milepost_app(client, authorize=authorize))

    Args:
        client: Whose calls are made, with its credential, for those requests that ``authorize`` allows.
        authorize: Decides about each call, before it is made: see ``Authorize``.
    """
    return web_app(ClientBackend(client, authorize))
