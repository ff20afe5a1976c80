"""The ASGI application: every surface over one backend, under any path."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from milepost.web.connect.connect_routes import connect_routes
from milepost.web.http_errors import error_response
from milepost.web.openapi.docs_page import docs_page
from milepost.web.openapi.document import document
from milepost.web.paced_bodies import PacedBodies
from milepost.web.page_routes import not_found_page, page_routes
from milepost.web.rest import no_such_path, rest_routes
from milepost.web.security.browser_policy import ANY_ORIGIN, BrowserPolicy
from milepost.web.security.response_headers import ResponseHeaders
from milepost.web.security.session_routes import session_routes
from milepost.web.service import JobsBackend

OPENAPI: Final = "/v1/openapi.json"
"""Where the description for programs is."""

_OWN_PAGES: Final = BrowserPolicy()
"""No page of another site changes anything."""

# What pages of allowed origins may send beyond what any page may, and read.
_REQUEST_HEADERS: Final = (
    "authorization",
    "connect-protocol-version",
    "connect-timeout-ms",
    "content-type",
    "last-event-id",
    "x-user-agent",
)
_RESPONSE_HEADERS: Final = ("retry-after", "www-authenticate")

_PREFLIGHT_AGE: Final = 600
"""Seconds for which a browser need not ask again whether a page of another origin may make a call."""


def web_app(backend: JobsBackend, policy: BrowserPolicy = _OWN_PAGES) -> Starlette:
    """The application over ``backend``."""
    routes = [
        *rest_routes(backend, policy.caller_of),
        *connect_routes(backend, policy.caller_of),
        *page_routes(),
        Route(OPENAPI, _openapi),
        # For people who open the root in a browser.
        Route("/v1", partial(_redirect, "v1/openapi.json")),
        Route("/v1/", partial(_redirect, "openapi.json")),
        Route("/docs", _docs),
    ]
    if policy.takes_cookies:
        routes += session_routes(backend, policy.caller_of)
    middleware = [
        Middleware(PacedBodies),
        Middleware(ResponseHeaders, shares_resources=bool(policy.allowed_origins)),
    ]
    if policy.allowed_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=sorted(policy.allowed_origins),
                allow_credentials=ANY_ORIGIN not in policy.allowed_origins,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=_REQUEST_HEADERS,
                expose_headers=_RESPONSE_HEADERS,
                max_age=_PREFLIGHT_AGE,
            )
        )
    return Starlette(routes=routes, middleware=middleware, exception_handlers={404: _not_found})


async def _redirect(address: str, request: Request) -> Response:
    # Relative, since a proxy may serve this under any path.
    return Response(status_code=307, headers={"location": address})


async def _openapi(request: Request) -> Response:
    # In a thread, since the first call makes it, which would block the event loop.
    body = await asyncio.to_thread(document)
    return Response(body, headers={"cache-control": "no-cache"}, media_type="application/json")


async def _docs(request: Request) -> Response:
    body = await asyncio.to_thread(docs_page)
    return Response(body, headers={"cache-control": "no-cache"}, media_type="text/html")


async def _not_found(request: Request, error: Exception) -> Response:
    return not_found_page(request) or error_response(no_such_path(request.url.path))
