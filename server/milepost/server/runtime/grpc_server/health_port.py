"""Health checks in plain text on a port of their own, for orchestrators whose probes speak no TLS."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_status import rpc_status

from milepost.server.base.refusal import Refusal, malformed
from milepost.server.calls.call_memory import CallMemory
from milepost.server.calls.call_record import refusal_status
from milepost.server.runtime import listen_address
from milepost.server.runtime.grpc_server.grpc_options import GRPC_OPTIONS
from milepost.server.runtime.grpc_server.grpc_start import start_grpc
from milepost.server.runtime.grpc_server.health_service import Health
from milepost.server.scheduling.callers import host_of

_Context = grpc.aio.ServicerContext[Any, Any]


class HealthPort:
    """Serves the ``Check`` of the health protocol and nothing else; no watches, which would stay open.

    It receives requests itself, as ``Interceptor`` does: within a time and within ``memory``.
    """

    def __init__(self, address: str, health_service: Health, memory: CallMemory) -> None:
        self._address = address
        self._health = health_service
        self._memory = memory
        self._server = grpc.aio.server(options=GRPC_OPTIONS)
        check: Any = grpc.stream_unary_rpc_method_handler(
            self._check, response_serializer=HealthCheckResponse.SerializeToString
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(health.SERVICE_NAME, {"Check": check}),)
        )

    async def start(self) -> str:
        """Serve; return the address. Raises OSError if it cannot be bound."""
        address = listen_address.bind(self._server, self._address, None, "--health-address")
        await start_grpc(self._server)
        return address

    async def stop(self) -> None:
        """End at once."""
        await self._server.stop(None)

    async def _check(self, _: object, context: _Context) -> HealthCheckResponse:
        try:
            request = await self._receive(context)
        except Refusal as refusal:
            await context.abort_with_status(rpc_status.to_status(refusal_status(refusal)))
        return await self._health.Check(request, context)

    async def _receive(self, context: _Context) -> HealthCheckRequest:
        data, charge = await self._memory.of(host_of(context.peer())).receive(context)
        try:
            return HealthCheckRequest.FromString(data)
        except DecodeError:
            raise malformed() from None
        finally:
            charge.release()
