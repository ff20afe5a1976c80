"""JSON schemas of messages, by the protobuf JSON mapping, with the comments of the protos as descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

Schema: TypeAlias = dict[str, Any]

_WELL_KNOWN: Final[Mapping[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
        "examples": ["90s"],
    },
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
        "additionalProperties": True,
    },
}

_SCALARS: Final[Mapping[int, Schema]] = {
    FieldDescriptor.CPPTYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.CPPTYPE_UINT32: {"type": "integer", "format": "uint32"},
    # A number of JSON is exact up to 2^53 only.
    FieldDescriptor.CPPTYPE_INT64: {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"},
    FieldDescriptor.CPPTYPE_UINT64: {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.CPPTYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
}


class MessageSchemas:
    """The schemas of messages and enums, with those of everything that they refer to."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        """``comments`` has the comment of each message, field, enum and value: ``Job``, ``Job.job_id``."""
        self._comments = comments
        self.components: dict[str, Schema] = {}
        """All schemas that were referred to, by name."""

    def reference(self, described: Any) -> Schema:
        """A reference to the schema of a message or an enum; those well known have none of their own.

        ``described`` is a descriptor, of any of protobuf's implementations.
        """
        well_known = _WELL_KNOWN.get(described.full_name)
        if well_known is not None:
            return dict(well_known)
        if described.name not in self.components:
            self.components[described.name] = {}  # before its fields, since messages may contain each other
            is_enum = hasattr(described, "values_by_number")
            self.components[described.name] = self._enum(described) if is_enum else self._message(described)
        return {"$ref": f"#/components/schemas/{described.name}"}

    def field(self, field: FieldDescriptor) -> Schema:
        """The schema of a field, with its comment."""
        return self._described(
            self._repeated(field) if field.is_repeated else self._single(field),
            f"{_name(field.containing_type)}.{field.name}",
        )

    def properties(self, fields: Iterable[FieldDescriptor]) -> dict[str, Schema]:
        """The schemas of fields, by their names in JSON."""
        return {field.json_name: self.field(field) for field in fields}

    def _message(self, message: Any) -> Schema:
        schema = {"type": "object", "properties": self.properties(message.fields)}
        return self._described(schema, message.name)

    def _enum(self, enum: Any) -> Schema:
        schema: Schema = {"type": "string", "enum": [value.name for value in enum.values]}
        values = (
            f"- `{value.name}`: {self._comments.get(f'{enum.name}.{value.name}', '')}"
            for value in enum.values
        )
        described = self._described(schema, enum.name)
        described["description"] = "\n".join([described.get("description", ""), "", *values]).strip()
        return described

    def _repeated(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            return {"type": "object", "additionalProperties": self._single(value)}
        return {"type": "array", "items": self._single(field)}

    def _single(self, field: FieldDescriptor) -> Schema:
        described = field.message_type or field.enum_type
        if described is not None:
            return self.reference(described)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return dict(_SCALARS[field.cpp_type])

    def _described(self, schema: Schema, name: str) -> Schema:
        comment = self._comments.get(name)
        return {**schema, "description": comment} if comment else schema


def _name(described: Any) -> str:
    name: str = described.name
    return name
