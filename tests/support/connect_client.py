"""JobService as the client of the Connect project sees it, which shares nothing with this one but the messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from connectrpc.client import ConnectClient
from connectrpc.codec import Codec
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from milepost.v1 import job_service_pb2

_SERVICE = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]

CODECS: Mapping[str, Codec[Any, Any]] = {
    "proto": google_protobuf_binary_codec(),
    "json": google_protobuf_json_codec(),
}
"""By name."""


class ConnectJobs:
    """Calls methods by their names; ``async with`` closes it. Raises ``connectrpc.errors.ConnectError``."""

    def __init__(self, url: str, codec: str, **options: Any) -> None:
        self._client = ConnectClient(url, codec=CODECS[codec], **options)

    async def call(self, method: str, request: Message, **options: Any) -> Any:
        """Call a unary method."""
        return await self._client.execute_unary(request=request, method=_method(method), **options)

    def watch(self, method: str, request: Message, **options: Any) -> AsyncIterator[Any]:
        """Call a method that streams its responses."""
        return self._client.execute_server_stream(request=request, method=_method(method), **options)

    async def __aenter__(self) -> ConnectJobs:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()


def _method(name: str) -> MethodInfo[Any, Any]:
    method = _SERVICE.methods_by_name[name]
    return MethodInfo(
        name=name,
        service_name=_SERVICE.full_name,
        input=GetMessageClass(method.input_type),
        output=GetMessageClass(method.output_type),
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.SERVER_STREAM if method.server_streaming else StreamType.UNARY,
    )
