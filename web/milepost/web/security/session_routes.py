"""Sessions of browsers: one call changes a token into a cookie, and one clears it.

EventSource and HTMX cannot send the header ``Authorization``. The cookie stands for it, and scripts cannot read it.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message
from google.rpc import code_pb2
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from milepost.v1 import WhoAmIRequest
from milepost.web.callers import CallerOf
from milepost.web.http_errors import error_response, invalid_field, service_error
from milepost.web.proto_json import json_body, to_json
from milepost.web.security.session_cookie import TOKEN_LENGTH, can_hold, clear_cookie, set_cookie
from milepost.web.service import Arrived, JobsBackend, ServiceError

SESSION: Final = "/v1/session"
"""``POST`` it with the token in the header ``Authorization``; ``POST`` it with ``:clear`` to end the session."""

_NO_STORE: Final = {"cache-control": "no-store"}


def session_routes(backend: JobsBackend, caller_of: CallerOf) -> list[Route]:
    """The routes of sessions. A token becomes a cookie only if it is in force."""

    async def begin(request: Request) -> Response:
        try:
            token = _bearer(request.headers)
            async with backend.call("WhoAmI", _nothing, await caller_of(request.scope)) as identity:
                headers = {**_NO_STORE, "set-cookie": set_cookie(token)}
                body = json_body(to_json(await backend.decode("WhoAmI", identity)))
                return Response(body, 200, headers, "application/json")
        except ServiceError as error:
            return error_response(error)

    async def clear(request: Request) -> Response:
        try:
            await caller_of(request.scope)
        except ServiceError as error:
            return error_response(error)
        return Response(status_code=204, headers={**_NO_STORE, "set-cookie": clear_cookie()})

    return [
        Route(SESSION, begin, methods=["POST"]),
        Route(f"{SESSION}:clear", clear, methods=["POST"]),
    ]


async def _nothing(arrived: Arrived) -> Message:
    return WhoAmIRequest()


def _bearer(headers: Headers) -> str:
    """The token in the header. Raises ServiceError UNAUTHENTICATED, INVALID_FIELD where no cookie can hold it."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise service_error(
            code_pb2.UNAUTHENTICATED,
            "A session begins with a token: send it in the header Authorization.",
            reason="UNAUTHENTICATED",
        )
    if not can_hold(token):
        raise invalid_field(
            "authorization", f"has no token of up to {TOKEN_LENGTH:,} characters for a cookie"
        )
    return token
