"""The gRPC health protocol (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).

Unlike the servicer of grpcio-health-checking, its watches end when the server stops; there they go on, so that the stop
would have to wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from milepost.server.base.refusal import draining, truncate
from milepost.server.calls.response_stream import ResponseStream

_Context = grpc.aio.ServicerContext[Any, Any]

# Its type stubs lack some of its messages.
_protocol: Any = health_pb2


class Health(HealthServicer):
    """Health of each service, and of all as ``""``; initially none is serving."""

    def __init__(self, services: Iterable[str]) -> None:
        self._serving = dict.fromkeys(services, False)
        self._changed = asyncio.Event()
        self._draining = False

    def set(self, serving: bool, *services: str) -> None:
        """Set whether these services are serving, and notify watches."""
        self._serving.update(dict.fromkeys(services, serving and not self._draining))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def drain(self) -> None:
        """Set all services to not serving; watches get that, and then end with DRAINING."""
        self._draining = True
        self.set(False, *self._serving)

    async def Check(self, request: HealthCheckRequest, context: _Context) -> HealthCheckResponse:
        """See the protocol."""
        if request.service not in self._serving:
            await context.abort(
                grpc.StatusCode.NOT_FOUND, truncate(f"There is no service '{request.service}'.")
            )
        return HealthCheckResponse(status=self._status(request.service))

    async def List(self, request: object, context: _Context) -> Any:
        """See the protocol."""
        statuses = {name: HealthCheckResponse(status=self._status(name)) for name in self._serving}
        return _protocol.HealthListResponse(statuses=statuses)

    async def Watch(self, request: HealthCheckRequest, stream: ResponseStream) -> None:
        """See the protocol."""
        sent: int | None = None
        while True:
            changed = self._changed
            status = self._status(request.service)
            if status != sent:
                await stream.write(HealthCheckResponse(status=status))
                sent = status
            elif self._draining:
                raise draining()
            else:
                await changed.wait()

    def _status(self, service: str) -> int:
        if service not in self._serving:
            return HealthCheckResponse.SERVICE_UNKNOWN
        return HealthCheckResponse.SERVING if self._serving[service] else HealthCheckResponse.NOT_SERVING
