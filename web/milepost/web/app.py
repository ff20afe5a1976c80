"""The ASGI application: every surface over one backend, under any path."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from milepost.web.callers import CallerOf, caller_of
from milepost.web.connect.connect_routes import connect_routes
from milepost.web.http_errors import error_response
from milepost.web.rest import no_such_path, rest_routes
from milepost.web.service import JobsBackend


def web_app(backend: JobsBackend, caller_of: CallerOf = caller_of) -> Starlette:
    """The application over ``backend``. ``caller_of`` finds out who makes a request."""
    return Starlette(
        routes=[*rest_routes(backend, caller_of), *connect_routes(backend, caller_of)],
        exception_handlers={404: _not_found},
    )


async def _not_found(request: Request, error: Exception) -> Response:
    return error_response(no_such_path(request.url.path))
