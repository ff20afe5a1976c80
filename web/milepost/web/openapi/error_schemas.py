"""The schemas of errors (https://google.aip.dev/193)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.rpc import error_details_pb2

from milepost.contract.reasons import DOMAIN, reason_name
from milepost.v1 import ErrorReason
from milepost.web.openapi.message_schemas import MessageSchemas, Schema

_DETAILS: Final = (
    error_details_pb2.ErrorInfo.DESCRIPTOR,
    error_details_pb2.BadRequest.DESCRIPTOR,
    error_details_pb2.RetryInfo.DESCRIPTOR,
)

_REASONS: Final = tuple(reason for reason in ErrorReason.values() if reason)


def error_response(schemas: MessageSchemas, comments: Mapping[str, str]) -> Schema:
    """The response of a call that is refused, or fails."""
    schemas.components["Reason"] = {
        "type": "string",
        "enum": [reason_name(reason) for reason in _REASONS],
        "description": "Why the call was refused.\n\n"
        + "\n".join(
            f"- `{reason_name(reason)}`: {comments.get(f'ErrorReason.{ErrorReason.Name(reason)}', '')}"
            for reason in _REASONS
        ),
    }
    details = {_type_url(descriptor): _detail(schemas, descriptor) for descriptor in _DETAILS}
    schemas.components["Error"] = {
        "type": "object",
        "description": "An error: for people the message, for programs `status` and the reason among the details.",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "status"],
                "properties": {
                    "code": {"type": "integer", "description": "The HTTP code."},
                    "message": {"type": "string", "description": "What happened, and what to do."},
                    "status": {
                        "type": "string",
                        "description": "The gRPC code, such as `NOT_FOUND`.",
                    },
                    "details": {
                        "type": "array",
                        "items": {
                            "oneOf": list(details.values()),
                            "discriminator": {
                                "propertyName": "@type",
                                "mapping": {url: reference["$ref"] for url, reference in details.items()},
                            },
                        },
                    },
                },
            }
        },
    }
    return {
        "description": "The call was refused, or it failed.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _detail(schemas: MessageSchemas, descriptor: Any) -> Schema:
    """A detail, told from others by its type."""
    reference = schemas.reference(descriptor)
    schema = schemas.components[descriptor.name]
    schema["required"] = ["@type"]
    schema["properties"] = {
        "@type": {"const": _type_url(descriptor), "type": "string"},
        **schema["properties"],
    }
    if descriptor is error_details_pb2.ErrorInfo.DESCRIPTOR:
        schema["properties"]["reason"] = {"$ref": "#/components/schemas/Reason"}
        schema["properties"]["domain"] = {"const": DOMAIN, "type": "string"}
        schema["required"] += ["reason", "domain"]
    return reference


def _type_url(descriptor: Any) -> str:
    return f"type.googleapis.com/{descriptor.full_name}"
