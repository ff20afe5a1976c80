"""Principals of a token file, and the calls that they may or may not make."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import grpc
import grpc.aio
import pytest

from milepost.v1 import (
    DeleteJobRequest,
    ListJobsRequest,
    ReportJobRequest,
    RevokeSharesRequest,
    ShareJobRequest,
)
from tests.support.rpc import (
    Rpc,
    connect,
    error_info,
    eventually,
    log_line,
)
from tests.support.server import Server
from tests.support.token_files import Tokens

__all__ = ["ALL", "Cast", "calls", "frames", "refusal"]


ALL = ("submit", "read", "cancel", "work")


class Cast:
    """Callers by their tokens, connected on demand."""

    def __init__(self, server: Server, known: Tokens, stack: AsyncExitStack) -> None:
        self._server, self._known, self._stack = server, known, stack

    async def __call__(self, subject: str, owners: list[str], *scopes: str, **more: str) -> Rpc:
        """Connect as a new principal."""
        token = self._known.add(subject, owners, *scopes, **more)
        rpc = await self._stack.enter_async_context(connect(self._server.address, token=token))

        async def authenticated() -> bool:
            try:
                await rpc.jobs.ListJobs(ListJobsRequest())
            except grpc.aio.AioRpcError as error:
                return error.code() != grpc.StatusCode.UNAUTHENTICATED
            return True

        await eventually(authenticated)
        return rpc


async def refusal(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, str, dict[str, str]]:
    """How a call is refused: status, reason, text, metadata."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    info = error_info(refused.value)
    return refused.value.code(), info.reason, refused.value.details() or "", dict(info.metadata)


async def frames(call: Any) -> list[Any]:
    """All frames of a watch that ends."""
    return [frame async for frame in call]


def calls(rpc: Rpc, job_id: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Every call that names a job."""
    return {
        "get": lambda: rpc.get(job_id),
        "watch": lambda: frames(rpc.watch(job_id)),
        "cancel": lambda: rpc.cancel(job_id),
        "delete": lambda: rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job_id)),
        "child": lambda: rpc.submit(parent_job_id=job_id),
        "share": lambda: rpc.jobs.ShareJob(ShareJobRequest(job_id=job_id)),
        "revoke": lambda: rpc.jobs.RevokeShares(RevokeSharesRequest(job_id=job_id)),
        "report": lambda: rpc.workers.ReportJob(
            ReportJobRequest(job_id=job_id, lease_token="x", first_report_sequence=1, updates=[log_line("x")])
        ),
    }
