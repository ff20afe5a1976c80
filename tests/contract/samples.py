"""Sample messages: for every message of the contract one with every field set, and one for each choice of a oneof.

They are generated from the descriptors, so that they include new fields automatically, and then differ from the golden
files until those are regenerated.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Final

from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, OneofDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

import milepost.v1
from milepost.v1 import Artifact, ErrorReason, WaitingFor

__all__ = ["choices", "files", "messages", "sample", "samples"]

# How deep a sample is filled in whole. Further in, only numbers and text are set, as those messages have their own.
_DEPTH: Final = 2

_INTEGERS: Final = {
    FieldDescriptor.TYPE_INT32: 1_000,  # more than one byte
    FieldDescriptor.TYPE_INT64: 2**53,  # more than a double holds exactly, so that JSON has to write text
}


# The value that samples have of enums that have grown since: golden bytes stay what they were when a value is added.
_NEWEST_VALUE = {
    "milepost.v1.ErrorReason": ErrorReason.ERROR_REASON_JOB_NOT_ENDED,
    "milepost.v1.WaitingFor": WaitingFor.WAITING_FOR_CLAIM,
}


def files() -> list[FileDescriptor]:
    """The ``.proto`` files of the contract."""
    names = [module.name for module in pkgutil.iter_modules(milepost.v1.__path__)]
    return [
        importlib.import_module(f"milepost.v1.{name}").DESCRIPTOR for name in names if name.endswith("_pb2")
    ]


def messages() -> list[Descriptor]:
    """The messages of the contract."""
    return [descriptor for file in files() for descriptor in file.message_types_by_name.values()]


def choices(descriptor: Descriptor) -> list[FieldDescriptor]:
    """The fields of a message's oneofs."""
    return [field for oneof in _oneofs(descriptor) for field in oneof.fields]


def samples() -> dict[str, Message]:
    """The samples by name: ``Job``, or ``Event.job_started`` for one choice of a oneof."""
    return {
        f"{descriptor.name}.{choice}" if choice else descriptor.name: sample(descriptor, choice)
        for descriptor in messages()
        for choice in [field.name for field in choices(descriptor)] or [""]
    }


def sample(descriptor: Descriptor, choice: str = "") -> Message:
    """A message with every field set; of a oneof the first field, or ``choice``."""
    message = GetMessageClass(descriptor)()
    _fill(message, descriptor, choice, depth=0)
    return message


def _fill(message: Message, descriptor: Descriptor, choice: str, depth: int) -> None:
    for field in _chosen(descriptor, choice):
        inner = field.message_type
        if depth == _DEPTH and (inner is not None or field.is_repeated):
            continue
        if inner is None and field.is_repeated:
            getattr(message, field.name).extend([_scalar(field, 1), _scalar(field, 2)])
        elif inner is None:
            setattr(message, field.name, _scalar(field))
        elif inner.GetOptions().map_entry:
            getattr(message, field.name).update({"key-1": "value-1", "key-2": "value-2"})
        elif field.is_repeated:
            for _ in range(2):
                _fill_message(getattr(message, field.name).add(), inner, depth + 1)
        else:
            _fill_message(getattr(message, field.name), inner, depth + 1)


def _fill_message(message: Message, descriptor: Descriptor, depth: int) -> None:
    match message:
        case Timestamp():
            message.FromJsonString("2026-01-02T03:04:05.678901Z")
        case Duration():
            message.FromJsonString("90.500s")
        case Struct():
            message.update(
                {"text": "t", "number": 1.5, "yes": True, "none": None, "list": [1, "two"], "in": {}}
            )
        case Any():
            message.Pack(Artifact(name="name", uri="uri"))
        case _:
            message.SetInParent()
            _fill(message, descriptor, "", depth)


def _scalar(field: FieldDescriptor, nth: int = 0) -> str | bytes | int | float | bool:
    """A value that is unique within the message, so that swapped fields are detected."""
    if field.enum_type is not None:
        newest = _NEWEST_VALUE.get(field.enum_type.full_name, field.enum_type.values[-1].number)
        return newest - nth
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return f"{field.name}-{nth}" if nth else field.name
        case FieldDescriptor.TYPE_BYTES:
            return field.name.encode()
        case FieldDescriptor.TYPE_BOOL:
            return True
        case FieldDescriptor.TYPE_DOUBLE:
            return field.number + nth + 0.25
        case _:
            return _INTEGERS[field.type] + field.number + nth


def _oneofs(descriptor: Descriptor) -> list[OneofDescriptor]:
    """The declared oneofs; those that ``optional`` creates begin with an underscore."""
    return [oneof for oneof in descriptor.oneofs if not oneof.name.startswith("_")]


def _chosen(descriptor: Descriptor, choice: str) -> Iterator[FieldDescriptor]:
    oneofs = _oneofs(descriptor)
    chosen = [
        choice if any(field.name == choice for field in oneof.fields) else oneof.fields[0].name
        for oneof in oneofs
    ]
    for field in descriptor.fields:
        if field.containing_oneof not in oneofs or field.name in chosen:
            yield field
