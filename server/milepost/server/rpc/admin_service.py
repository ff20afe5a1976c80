"""AdminService: validate, call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from milepost.server.access.authorize import Action, check
from milepost.server.access.current_principal import current_principal
from milepost.server.calls.response_stream import ResponseStream
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.messages.timestamps import duration
from milepost.server.rpc.backups import Backups
from milepost.server.scheduling.loop_lag import LoopLag
from milepost.server.service import paging, validation
from milepost.v1 import (
    BackUpRequest,
    EventLoopStats,
    GetStatsRequest,
    GetStatsResponse,
    ListWorkersRequest,
    ListWorkersResponse,
)

_Context = grpc.aio.ServicerContext[Any, Any]


class AdminService:
    """The service for operators."""

    def __init__(self, registry: WorkerRegistry, backups: Backups, loop_lag: LoopLag) -> None:
        self._registry = registry
        self._backups = backups
        self._loop_lag = loop_lag

    async def BackUp(self, request: BackUpRequest, stream: ResponseStream) -> None:
        """See the contract."""
        check(current_principal(), Action.ADMINISTER, "", None)
        await self._backups.send(stream.write)

    async def GetStats(self, request: GetStatsRequest, context: _Context) -> GetStatsResponse:
        """See the contract."""
        check(current_principal(), Action.ADMINISTER, "", None)
        lag = self._loop_lag
        event_loop = EventLoopStats(
            passes=lag.passes,
            held_passes=lag.long_passes,
            p99=duration(lag.p99),
            longest=duration(lag.longest),
            longest_cpu=duration(lag.longest_cpu),
        )
        return GetStatsResponse(event_loop=event_loop)

    async def ListWorkers(self, request: ListWorkersRequest, context: _Context) -> ListWorkersResponse:
        """See the contract."""
        check(current_principal(), Action.ADMINISTER, "", None)
        validation.list_workers(request)
        after = paging.after_worker(request)
        size = paging.page_size(request.page_size)
        workers = self._registry.listed(request.kind, after, size + 1)
        response = ListWorkersResponse(workers=workers[:size])
        if len(workers) > size:
            last = response.workers[-1]
            response.next_page_token = paging.workers_token(request, last.worker_id, last.session_id)
        return response
