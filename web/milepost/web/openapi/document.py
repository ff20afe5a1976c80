"""The document: all paths, the schemas that they refer to, and the ways to authenticate."""

from __future__ import annotations

import json
from functools import cache
from typing import Final

from milepost.contract.comments import comments
from milepost.v1 import WhoAmIResponse
from milepost.web.openapi.error_schemas import error_response
from milepost.web.openapi.message_schemas import MessageSchemas, Schema
from milepost.web.openapi.operations import operation
from milepost.web.openapi.streams import stream_operation
from milepost.web.proto_json import json_body
from milepost.web.rest_routes import ROUTES
from milepost.web.security.session_cookie import COOKIE
from milepost.web.security.session_routes import SESSION
from milepost.web.service import METHODS

_DESCRIPTION: Final = """Milepost over HTTP: submit, follow and cancel long-running jobs.

Bodies are the messages of the contract as ProtoJSON (https://protobuf.dev/programming-guides/json): fields that are
zero or empty are absent, integers of 64 bits are strings, and enums are names. Ignore fields that you do not know."""


@cache
def document() -> bytes:
    """The document as JSON; made once, which takes some hundredths of a second."""
    return json_body(json.dumps(openapi(), ensure_ascii=False)).encode()


def openapi() -> Schema:
    """The document."""
    texts = comments()
    schemas = MessageSchemas(texts)
    paths: dict[str, Schema] = {}
    for route in ROUTES:
        streams = METHODS[route.method].server_streaming
        make = stream_operation if streams else operation
        paths.setdefault(route.path, {})[route.verb.lower()] = make(route, schemas, texts)
    identity = schemas.reference(WhoAmIResponse.DESCRIPTOR)
    error = error_response(schemas, texts)
    return {
        "openapi": "3.1.1",
        "info": {"title": "Milepost", "version": "v1", "description": _DESCRIPTION},
        # Of the document's own address, wherever the application is mounted.
        "servers": [{"url": ".."}],
        "security": [{"token": []}, {"session": []}, {}],
        "paths": {**paths, **_session_paths(identity)},
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": {"Error": error},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The token of a principal."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": f"The session of a browser, which `POST {SESSION}` begins.",
                },
            },
        },
    }


def _session_paths(identity: Schema) -> dict[str, Schema]:
    refusal = {"default": {"$ref": "#/components/responses/Error"}}
    begin = {
        "operationId": "beginSession",
        "description": "Changes the token of this call into the cookie of a session, where no script can read it. "
        "Says who its bearer is.",
        "security": [{"token": []}],
        "responses": {
            "200": {
                "description": "The session has begun.",
                "headers": {"Set-Cookie": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": identity}},
            },
            **refusal,
        },
    }
    clear = {
        "operationId": "clearSession",
        "description": "Clears the cookie of a session.",
        "responses": {
            "204": {
                "description": "There is no session.",
                "headers": {"Set-Cookie": {"schema": {"type": "string"}}},
            },
            **refusal,
        },
    }
    return {SESSION: {"post": begin}, f"{SESSION}:clear": {"post": clear}}
