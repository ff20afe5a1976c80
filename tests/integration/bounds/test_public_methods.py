"""Methods that need no credential: anybody may call them, so their requests and what these become are small."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from milepost.server.calls.request_decoding import PUBLIC_REQUEST_SIZE
from milepost.server.rpc.metadata_limit import METADATA_SIZE
from milepost.server.runtime.server import Server, Settings
from tests.support.refused import Refused, refused

# Each character of it takes four in ``repr``.
_UNPRINTABLE = "\x01"

_TOO_LARGE = Refused(
    "INVALID_ARGUMENT",
    "TOO_LARGE",
    "milepost.v1",
    metadata={"size": str(PUBLIC_REQUEST_SIZE + 1), "limit": str(PUBLIC_REQUEST_SIZE)},
    message="The request is 4,097 bytes; at most 4,096 are accepted. Send a shorter name.",
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server in this process, with a port for health checks, too."""
    server = Server(Settings("127.0.0.1:0", None, health_address="127.0.0.1:0"))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def check_of(size: int) -> HealthCheckRequest:
    """A health check of so many bytes, at least 130."""
    request = HealthCheckRequest(service=_UNPRINTABLE * (size - 3))
    assert request.ByteSize() == size
    return request


def check(channel: grpc.aio.Channel, request: HealthCheckRequest) -> Any:
    """Make a health check."""
    call: Any = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )
    return call(request)


async def test_a_status_has_little_of_the_name_of_a_service(server: Server) -> None:
    """Whatever port it came to: it fits into the metadata that a client takes."""
    for address in (server.address, server.health_address):
        async with grpc.aio.insecure_channel(address) as channel:
            refusal = await refused(check(channel, check_of(PUBLIC_REQUEST_SIZE)))
        assert refusal.code == "NOT_FOUND"
        assert refusal.message.startswith("There is no service '\\x01")
        assert len(refusal.message) < METADATA_SIZE / 8


async def test_a_health_check_that_is_too_large_is_refused(server: Server) -> None:
    """At either port; also a watch, whose request the server would keep."""
    request = check_of(PUBLIC_REQUEST_SIZE + 1)
    async with grpc.aio.insecure_channel(server.health_address) as channel:
        assert await refused(check(channel, request)) == _TOO_LARGE
    async with grpc.aio.insecure_channel(server.address) as channel:
        watching: Any = channel.unary_stream(
            "/grpc.health.v1.Health/Watch", request_serializer=HealthCheckRequest.SerializeToString
        )
        assert await refused(check(channel, request)) == _TOO_LARGE
        assert await refused(watching(request).read()) == _TOO_LARGE


async def test_a_large_request_for_reflection_is_refused(server: Server) -> None:
    """Its response would repeat the request; one that fits is answered."""
    fits = ServerReflectionRequest(file_containing_symbol="s" * (PUBLIC_REQUEST_SIZE - 3))
    assert fits.ByteSize() == PUBLIC_REQUEST_SIZE
    async with grpc.aio.insecure_channel(server.address) as channel:
        reflection: Any = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )
        call = reflection()
        await call.write(fits)
        answer = await call.read()
        assert answer.original_request == fits
        await call.write(
            ServerReflectionRequest(host="h", file_containing_symbol=fits.file_containing_symbol)
        )
        refusal = await refused(call.read())
    assert refusal.brief == ("INVALID_ARGUMENT", "TOO_LARGE", ())
