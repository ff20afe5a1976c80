"""All methods of all services, from their descriptors, so that one that is added is in every matrix."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import grpc.aio
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from milepost.contract.reasons import reason_name
from milepost.v1 import WorkRequest, admin_service_pb2, job_service_pb2, worker_service_pb2
from tests.support.refused import Refused
from tests.support.rpc import Rpc, log_line

METHODS: Final[dict[str, Any]] = {
    f"/{service.full_name}/{method.name}": method
    for file in (job_service_pb2, worker_service_pb2, admin_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""The descriptors of the methods by their paths."""

OF_JOBS: Final = [path for path, method in METHODS.items() if "job_id" in method.input_type.fields_by_name]
"""The methods whose request names a job."""

WORK_OF_JOBS: Final = [
    field.name
    for field in WorkRequest.DESCRIPTOR.oneofs_by_name["message"].fields
    if field.message_type is not None and "job_id" in field.message_type.fields_by_name
]
"""The messages of a worker's session that name a job."""


def request_for(path: str, job_id: str) -> Message:
    """A valid request of the method that names the job, if it can."""
    request: Message = _filled(GetMessageClass(METHODS[path].input_type)(), job_id)
    return request


def _filled(message: Any, job_id: str) -> Any:
    values = {
        "job_id": job_id,
        "parent_job_id": job_id,
        "kind": "k",
        "no_follow": True,
        "lease_token": "x",
        "first_report_sequence": 1,
        "updates": [log_line("x")],
    }
    if "parent_job_id" in message.DESCRIPTOR.fields_by_name:
        values["job_id"] = ""  # the job is its parent
    present = {name: value for name, value in values.items() if name in message.DESCRIPTOR.fields_by_name}
    return type(message)(**present)


async def invoke(
    channel: grpc.aio.Channel, path: str, request: bytes = b"", metadata: Sequence[tuple[str, str]] = ()
) -> list[bytes]:
    """Call the method; return its responses. A method of many requests gets none, and its end. Raises AioRpcError."""
    method, stubs, sent = METHODS[path], channel, list(metadata)
    call: Any
    if method.client_streaming:
        call = _any(stubs.stream_stream)(path)(metadata=sent)
        with suppress(grpc.aio.InternalError, asyncio.InvalidStateError):  # it has ended
            await call.done_writing()
    elif method.server_streaming:
        call = _any(stubs.unary_stream)(path)(request, metadata=sent)
    else:
        return [await _any(stubs.unary_unary)(path)(request, metadata=sent)]
    return [response async for response in call]


def _any(function: Any) -> Any:
    return function


async def outcome(
    channel: grpc.aio.Channel, path: str, request: bytes = b"", metadata: Sequence[tuple[str, str]] = ()
) -> Refused | None:
    """How the call is refused; None if it is not."""
    try:
        await invoke(channel, path, request, metadata)
    except grpc.aio.AioRpcError as error:
        return Refused.of(error)
    return None


async def work_outcome(rpc: Rpc, name: str, job_id: str) -> str:
    """The reason for which a message of a new session is refused; empty if it is not."""
    message = WorkRequest()
    getattr(message, name).CopyFrom(_filled(getattr(message, name), job_id))
    async with rpc.session(kinds=[]) as session:
        await session.call.write(message)
        answer = await session.next(f"an answer to {name}")
    return reason_name(answer.rejected.reason) if answer.HasField("rejected") else ""
