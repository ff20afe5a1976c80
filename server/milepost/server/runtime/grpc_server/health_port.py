"""Health checks in plain text on a port of their own, for orchestrators whose probes speak no TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc
import grpc.aio
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from milepost.server.background_tasks import Tasks
from milepost.server.calls.call_memory import CallMemory
from milepost.server.calls.request_decoding import PUBLIC_REQUEST_SIZE
from milepost.server.rpc.interceptor import Interceptor
from milepost.server.runtime import listen_address
from milepost.server.runtime.flood_barrier import FloodBarrier
from milepost.server.runtime.grpc_server.grpc_options import GRPC_OPTIONS
from milepost.server.runtime.grpc_server.grpc_start import start_grpc
from milepost.server.runtime.grpc_server.health_service import Health

HEALTH_MEMORY: Final = 16 << 20
"""Bytes of health checks at work at this port; see ``CallMemory``. A check that takes long to arrive counts as the
largest request of any method, so that a host can have only one of these, and has room for others."""

# Larger ones are refused by core. Twice what a request may have, so that the server refuses a larger one with a reason.
_LARGEST_MESSAGE: Final = 2 * PUBLIC_REQUEST_SIZE


class HealthPort:
    """Serves the ``Check`` of the health protocol and nothing else; no watches, which would stay open.

    It has the bounds of the server's other calls, with memory, counts of floods and a barrier of its own: what comes to
    the main port does not keep probes out (decision 0091).
    """

    def __init__(
        self,
        address: str,
        health_service: Health,
        tasks: Tasks,
        intercept: Callable[[CallMemory, FloodBarrier], Interceptor],
    ) -> None:
        """``intercept`` returns the interceptor of calls with this memory, and with this barrier against floods."""
        self._address = address
        self._tasks = tasks
        self._barrier = FloodBarrier(tasks)
        self._server = grpc.aio.server(
            interceptors=[intercept(CallMemory(HEALTH_MEMORY), self._barrier)],
            options=[*(dict(GRPC_OPTIONS) | {"grpc.max_receive_message_length": _LARGEST_MESSAGE}).items()],
        )
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
        self._barrier.attach(int(address.rpartition(":")[2]))
        await start_grpc(self._server)
        self._tasks.start(self._barrier.bound_silent())
        return address

    async def stop(self) -> None:
        """End at once."""
        self._barrier.detach()
        await self._server.stop(None)
