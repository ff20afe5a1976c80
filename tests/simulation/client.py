"""A client that submits and cancels jobs over calls that may be lost; it retries until they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from google.protobuf.duration_pb2 import Duration

from milepost.server.store_errors import refusal_of
from milepost.v1 import CancelJobRequest, ErrorReason, RetryPolicy, SubmitJobRequest
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Lost, Network
from tests.simulation.record import Record
from tests.simulation.scenario import JobPlan
from tests.simulation.watching import follow

__all__ = ["SimulatedClient"]

_TIMEOUT = 2.0

_CONTEXT: Any = SimpleNamespace(peer=lambda: "client")
_AGAIN = 0.5

_PASSING = frozenset(
    {
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
        ErrorReason.ERROR_REASON_STORE_FULL,
        ErrorReason.ERROR_REASON_DRAINING,
    }
)


# The parent has ended; or an older copy of the disk was restored, without the job.
_FOR_GOOD = frozenset({ErrorReason.ERROR_REASON_JOB_ENDED, ErrorReason.ERROR_REASON_JOB_NOT_FOUND})


class SimulatedClient:
    """All clients in one."""

    def __init__(self, loop: VirtualLoop, network: Network, record: Record) -> None:
        self._loop = loop
        self._network = network
        self._record = record
        self._ids: dict[int, asyncio.Future[str | None]] = {}

    async def run(self, plans: Sequence[JobPlan]) -> None:
        """Run until every call is answered."""
        start = self._loop.time()
        self._ids = {number: self._loop.create_future() for number in range(len(plans))}
        await asyncio.gather(*(self._see_to(number, plan, start) for number, plan in enumerate(plans)))

    async def _see_to(self, number: int, plan: JobPlan, start: float) -> None:
        await asyncio.sleep(plan.at)
        parent = None if plan.parent is None else await self._ids[plan.parent]
        request = _request(plan, parent or "")
        ids = await asyncio.gather(*(self._submit(request) for _ in range(plan.copies)))
        self._ids[number].set_result(ids[0])
        if ids[0] is not None:
            watching = [follow(self._network, ids[0])] if plan.watched else []
            await asyncio.gather(self._cancel_at(start, plan, ids[0]), *watching)

    async def _cancel_at(self, start: float, plan: JobPlan, job_id: str) -> None:
        for at, grace in plan.cancels:
            await asyncio.sleep(start + at - self._loop.time())
            await self._cancel(job_id, grace)

    async def _submit(self, request: SubmitJobRequest) -> str | None:
        async def call(server: Any) -> Any:
            return await server.jobs.SubmitJob(request, _CONTEXT)

        response = await self._ask(call)
        if response is None:
            self._record.refused_requests.add(request.request_id)
            return None
        job_id: str = response.job.job_id
        self._record.submitted(request, job_id)
        return job_id

    async def _cancel(self, job_id: str, grace: float) -> None:
        request = CancelJobRequest(job_id=job_id, grace_period=_duration(grace))

        async def call(server: Any) -> Any:
            return await server.jobs.CancelJob(request, _CONTEXT)

        if await self._ask(call) is not None:
            self._record.cancelled(job_id)

    async def _ask(self, call: Any) -> Any:
        """Call until answered; None if the call is refused for good."""
        while True:
            try:
                return await self._network.call(call, _TIMEOUT)
            except Lost:
                pass
            except Exception as error:
                refusal = refusal_of(error)
                if refusal is None:
                    raise
                if refusal.reason in _FOR_GOOD:
                    return None
                if refusal.reason not in _PASSING:
                    raise
            await asyncio.sleep(_AGAIN)


def _request(plan: JobPlan, parent: str) -> SubmitJobRequest:
    request = SubmitJobRequest(
        job_id=plan.name if plan.given_id else "",
        request_id=f"request-{plan.name}",
        kind=plan.kind,
        owner=plan.owner,
        labels={"name": plan.name},
        parent_job_id=parent,
        priority=plan.priority,
        concurrency_key=plan.key,
        concurrency_limit=plan.limit,
    )
    if plan.max_attempts:
        request.retry_policy.CopyFrom(
            RetryPolicy(max_attempts=plan.max_attempts, initial_backoff=_duration(plan.backoff))
        )
    for name in ("timeout", "attempt_timeout", "start_deadline"):
        if seconds := getattr(plan, name):
            getattr(request, name).CopyFrom(_duration(seconds))
    return request


def _duration(seconds: float) -> Duration:
    return Duration(nanos=int(seconds % 1 * 1e9), seconds=int(seconds))
