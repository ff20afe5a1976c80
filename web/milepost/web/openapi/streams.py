"""Watches: the union of the server-sent events, or lines of JSON, that a stream can have, discriminated by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from milepost.v1 import Event
from milepost.web.openapi.message_schemas import MessageSchemas, Schema
from milepost.web.openapi.operations import path_parameters, query_parameters, summary
from milepost.web.rest_routes import RestRoute
from milepost.web.service import METHODS

# Fields of the request that the parameter `start` replaces.
_REPLACED_FIELDS: Final = frozenset({"from_snapshot", "from_latest"})

_CURSOR: Final[Schema] = {
    "type": "string",
    "format": "int64",
    "description": "The cursor of the stream: a sequence, or a position for streams of many jobs.",
}


class _Kind(NamedTuple):
    """One kind of record."""

    name: str
    data: Schema
    description: str


def stream_operation(route: RestRoute, schemas: MessageSchemas, comments: Mapping[str, str]) -> Schema:
    """The operation of a route whose method streams its responses."""
    method: Any = METHODS[route.method]
    union = _union(method, schemas, comments)
    return {
        **summary(route, comments),
        "parameters": [
            *path_parameters(route, schemas),
            *query_parameters(route, schemas, _REPLACED_FIELDS),
            {
                "in": "query",
                "name": "start",
                "description": "Start with a snapshot, or with later events only, instead of a cursor.",
                "schema": {"type": "string", "enum": ["snapshot", "latest"]},
            },
            {
                "in": "header",
                "name": "Last-Event-ID",
                "description": "The `id` of the last event received: resume after it. Overrides any other start.",
                "schema": {"type": "string", "examples": ["6100b973dc4f4cce8de37da423cc9199:17"]},
            },
        ],
        "responses": {
            "200": {
                "description": "Events as they happen. The schema is that of one of them: an object a line with "
                "`application/x-ndjson`; with `text/event-stream` the fields `event`, `id` and `data`, whose data is "
                "JSON. Ignore events of other names: a server may be newer than its client.",
                "content": {
                    media_type: {"schema": union}
                    for media_type in ("text/event-stream", "application/x-ndjson")
                },
            },
            "204": {
                "description": "The job has ended, and the client has all of its events: do not reconnect."
            },
            "default": {"$ref": "#/components/responses/Error"},
        },
    }


def _union(method: Any, schemas: MessageSchemas, comments: Mapping[str, str]) -> Schema:
    """A reference to the union of all records of a stream."""
    mapping: dict[str, str] = {}
    for kind in _kinds(method, schemas, comments):
        component = "Watched" + "".join(part.capitalize() for part in kind.name.split("_"))
        schemas.components[component] = {
            "type": "object",
            "description": kind.description,
            "required": ["event", "data"],
            "properties": {
                "event": {"type": "string", "const": kind.name},
                "id": {"type": "string", "description": "Where to resume after it: epoch and cursor."},
                "data": kind.data,
            },
        }
        mapping[kind.name] = f"#/components/schemas/{component}"
    name = method.name.replace("Watch", "Watched") + "Event"
    schemas.components[name] = {
        "description": "An item of a stream; `event` says which.",
        "oneOf": [{"$ref": reference} for reference in mapping.values()],
        "discriminator": {"propertyName": "event", "mapping": mapping},
    }
    return {"$ref": f"#/components/schemas/{name}"}


def _kinds(method: Any, schemas: MessageSchemas, comments: Mapping[str, str]) -> Iterator[_Kind]:
    response = method.output_type
    for frame in response.oneofs_by_name["frame"].fields:
        if frame.name != "events":
            yield _Kind(
                frame.name,
                schemas.reference(frame.message_type),
                comments.get(f"{response.name}.{frame.name}", ""),
            )
    yield from _payloads(schemas, comments)
    yield _Kind(
        "gap",
        {
            "type": "object",
            "required": ["reason", "message", "epoch", "cursor"],
            "properties": {
                "reason": {"type": "string", "enum": ["EPOCH_CHANGED", "SEQUENCE_TRIMMED"]},
                "message": {"type": "string"},
                "epoch": {"type": "string"},
                "cursor": _CURSOR,
            },
        },
        "Events are missing before the next one, since the log does not have them any more. A snapshot follows.",
    )
    yield _Kind(
        "end",
        {"type": "object", "required": ["cursor"], "properties": {"cursor": _CURSOR}},
        "The stream is complete. A client that reconnects after it gets 204.",
    )
    yield _Kind(
        "failure",
        {"$ref": "#/components/schemas/Error"},
        "The stream ended early; the error says why. It is transient if a new `retry` came before it.",
    )


def _payloads(schemas: MessageSchemas, comments: Mapping[str, str]) -> Iterator[_Kind]:
    """Events, by their payloads: what all have, and the one that this has."""
    event: Any = Event.DESCRIPTOR
    payloads = event.oneofs_by_name["payload"].fields
    schemas.components[event.name] = {
        "type": "object",
        "description": comments.get(event.name, ""),
        "required": ["jobId", "sequence", "time"],
        "properties": schemas.properties(field for field in event.fields if field.containing_oneof is None),
    }
    for payload in payloads:
        narrowed = {
            "type": "object",
            "required": [payload.json_name],
            "properties": {payload.json_name: schemas.reference(payload.message_type)},
        }
        yield _Kind(
            payload.name,
            {"allOf": [{"$ref": f"#/components/schemas/{event.name}"}, narrowed]},
            comments.get(f"{event.name}.{payload.name}", ""),
        )
