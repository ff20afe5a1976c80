"""AdminService: decode, call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.rpc import paging, validation
from milepost.v1 import ListWorkersRequest, ListWorkersResponse

_Context = grpc.aio.ServicerContext[Any, Any]


class AdminService:
    """For those who operate the servers."""

    def __init__(self, roster: WorkerRegistry) -> None:
        self._roster = roster

    async def ListWorkers(self, request: ListWorkersRequest, context: _Context) -> ListWorkersResponse:
        """See the contract."""
        validation.list_workers(request)
        asked = ListWorkersRequest(kind=request.kind)
        after = paging.after(request.page_token, asked, _key)
        workers = self._roster.listed(request.kind)
        if after is not None:
            workers = [worker for worker in workers if (worker.worker_id, worker.session_id) > after]
        response = ListWorkersResponse(workers=workers[: paging.page_size(request.page_size)])
        if len(response.workers) < len(workers):
            last = response.workers[-1]
            response.next_page_token = paging.token(asked, [last.worker_id, last.session_id])
        return response


def _key(found: object) -> tuple[str, str] | None:
    match found:
        case [str(worker_id), str(session_id)]:
            return worker_id, session_id
    return None
