"""The operations of REST: what each verb of each path takes and returns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from milepost.web.openapi.message_schemas import MessageSchemas, Schema
from milepost.web.rest_routes import RestRoute
from milepost.web.service import METHODS

_PATH_FIELD: Final = re.compile(r"\{(\w+)\}")


def operation(route: RestRoute, schemas: MessageSchemas, comments: Mapping[str, str]) -> Schema:
    """The operation of a route whose method has one response."""
    method: Any = METHODS[route.method]
    described: Schema = {
        **summary(route, comments),
        "parameters": [*path_parameters(route, schemas)],
        "responses": {
            "200": {
                "description": comments.get(method.output_type.name, "The response."),
                "content": {"application/json": {"schema": schemas.reference(method.output_type)}},
            },
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if route.has_body:
        described["requestBody"] = {
            "content": {"application/json": {"schema": _body(route, schemas)}},
        }
    else:
        described["parameters"] += query_parameters(route, schemas)
    return described


def summary(route: RestRoute, comments: Mapping[str, str]) -> Schema:
    """The name of an operation, and what it does."""
    service = METHODS[route.method].containing_service
    comment = comments.get(f"{service.name}.{route.method}", "")
    return {"operationId": route.method[0].lower() + route.method[1:], "description": comment}


def path_parameters(route: RestRoute, schemas: MessageSchemas) -> Iterator[Schema]:
    """The fields of the request that are part of the path."""
    for field in _request(route).fields:
        if field.name in _names_in(route):
            yield {"in": "path", "name": field.name, "required": True, **_described(schemas.field(field))}


def query_parameters(
    route: RestRoute, schemas: MessageSchemas, hidden: frozenset[str] = frozenset()
) -> Iterator[Schema]:
    """The other fields of the request as parameters, those of messages within it by their paths."""
    yield from _parameters(_request(route), "", schemas, _names_in(route) | hidden)


def _parameters(
    message: Any, prefix: str, schemas: MessageSchemas, hidden: frozenset[str]
) -> Iterator[Schema]:
    for field in message.fields:
        if field.name in hidden:
            continue
        name = prefix + field.name
        schema = schemas.field(field)
        if "additionalProperties" in schema:
            # With "form" and "explode" the keys of an object are names of parameters.
            schema["propertyNames"] = {"pattern": f"^{re.escape(name)}\\."}
            yield {"in": "query", "name": name, "style": "form", "explode": True, **_described(schema)}
        elif field.message_type is not None and "$ref" in schema:
            yield from _parameters(field.message_type, f"{name}.", schemas, frozenset())
        else:
            yield {"in": "query", "name": name, **_described(schema)}


def _body(route: RestRoute, schemas: MessageSchemas) -> Schema:
    """The fields of the request that are not part of the path."""
    request = _request(route)
    names = _names_in(route)
    if not names:
        return schemas.reference(request)
    return {
        "type": "object",
        "properties": schemas.properties(field for field in request.fields if field.name not in names),
    }


def _described(schema: Schema) -> Schema:
    """A schema of a parameter, whose description belongs to the parameter."""
    description = schema.pop("description", "")
    return {"schema": schema, **({"description": description} if description else {})}


def _request(route: RestRoute) -> Any:
    return METHODS[route.method].input_type


def _names_in(route: RestRoute) -> frozenset[str]:
    return frozenset(_PATH_FIELD.findall(route.path))
