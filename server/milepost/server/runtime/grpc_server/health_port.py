"""Health checks in plain text on a port of their own, for orchestrators whose probes speak no TLS."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from milepost.server.runtime import listen_address
from milepost.server.runtime.grpc_server.grpc_options import GRPC_OPTIONS
from milepost.server.runtime.grpc_server.grpc_start import start_grpc
from milepost.server.runtime.grpc_server.health_service import Health


class HealthPort:
    """Serves the ``Check`` of the health protocol and nothing else; no watches, which would stay open."""

    def __init__(self, address: str, health_service: Health) -> None:
        self._address = address
        self._server = grpc.aio.server(options=GRPC_OPTIONS)
        check: Any = grpc.unary_unary_rpc_method_handler(
            health_service.Check,
            request_deserializer=HealthCheckRequest.FromString,
            response_serializer=HealthCheckResponse.SerializeToString,
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
