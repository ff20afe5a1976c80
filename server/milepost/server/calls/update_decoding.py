"""Deserialize reports so that one malformed update is refused by itself.

Protobuf decodes a message as a whole or not at all: with one text that is not UTF-8, deep within one of a thousand
updates, the server could not tell which update to refuse. If decoding fails, it decodes the same bytes again with
descriptors that declare each update as bytes, and then each update by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from milepost.v1 import Report, ReportJobRequest, Update, WorkRequest

__all__ = ["Deserializer"]

_PACKAGE: Final = "milepost.server.reading"


class Deserializer:
    """Deserializes requests of a class; raises DecodeError. A malformed update becomes an empty one."""

    def __init__(self, message: type[Message]) -> None:
        self.message = message
        self._decode: Callable[[bytes], Message] = _DECODERS.get(message, message.FromString)

    def __call__(self, data: bytes) -> Message:
        """Decode a request."""
        return self._decode(data)


def _work_request(data: bytes) -> Message:
    try:
        return WorkRequest.FromString(data)
    except DecodeError:
        envelope = cast("Any", _WORK_REQUEST.FromString(data))
        if not envelope.HasField("report"):
            raise
        return WorkRequest(report=_with_updates(Report, envelope.report))


def _report_job_request(data: bytes) -> Message:
    try:
        return ReportJobRequest.FromString(data)
    except DecodeError:
        envelope = _REPORT_JOB_REQUEST.FromString(data)
        return cast("Message", _with_updates(ReportJobRequest, envelope))


def _with_updates(message: type[Message], envelope: Any) -> Any:
    return message(
        job_id=envelope.job_id,
        lease_token=envelope.lease_token,
        first_report_sequence=envelope.first_report_sequence,
        updates=[_update(data) for data in envelope.updates],
    )


def _update(data: bytes) -> Update:
    try:
        return Update.FromString(data)
    except DecodeError:
        return Update()


def _envelopes() -> tuple[type[Message], type[Message]]:
    """The classes of WorkRequest, with a report only, and of ReportJobRequest, with updates as bytes."""
    work_request = DescriptorProto(name="WorkRequest")
    work_request.field.add(
        name="report",
        number=WorkRequest.REPORT_FIELD_NUMBER,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.Report",
    )
    file = FileDescriptorProto(name="milepost/server/reading.proto", package=_PACKAGE, syntax="proto3")
    file.message_type.extend(
        [work_request, _envelope(Report.DESCRIPTOR), _envelope(ReportJobRequest.DESCRIPTOR)]
    )
    pool = DescriptorPool()
    pool.Add(file)
    found = pool.FindFileByName(file.name).message_types_by_name
    return GetMessageClass(found["WorkRequest"]), GetMessageClass(found["ReportJobRequest"])


def _envelope(descriptor: Descriptor) -> DescriptorProto:
    proto = DescriptorProto()
    descriptor.CopyToProto(proto)
    for field in proto.field:
        if field.type == FieldDescriptorProto.TYPE_MESSAGE:
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
    return proto


_WORK_REQUEST, _REPORT_JOB_REQUEST = _envelopes()

_DECODERS: Final[dict[type[Message], Callable[[bytes], Message]]] = {
    WorkRequest: _work_request,
    ReportJobRequest: _report_job_request,
}
