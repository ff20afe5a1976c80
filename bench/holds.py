"""Holds: how long one request keeps the server's event loop from everybody else, for the worst requests there are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value

from bench import work
from bench.figures import OURS, Figure, Settings
from bench.processes import Server, milepost
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    CancelJobRequest,
    Claim,
    Custom,
    Dispatch,
    GetJobRequest,
    GetStatsRequest,
    GetStatsResponse,
    Hello,
    JobEnded,
    JobState,
    ListJobsRequest,
    LogWritten,
    ReportJobRequest,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    SubmitJobRequest,
    Update,
    WorkRequest,
)
from milepost.v1.admin_service_pb2_grpc import AdminServiceStub
from milepost.v1.job_service_pb2_grpc import JobServiceStub
from milepost.v1.worker_service_pb2_grpc import WorkerServiceStub

if TYPE_CHECKING:
    from milepost.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from milepost.v1.worker_service_pb2_grpc import WorkerServiceAsyncStub

__all__ = ["measure"]

_STAGES: Final = 1000
_NULLS_IN_A_MIB: Final = 262_000
_MESSAGE_BYTES: Final = 4 << 20
_DEADLINE: Final = 120.0

Request: TypeAlias = Callable[[grpc.aio.Channel], Awaitable[object]]
"""Sends a request, and returns once it is answered."""


def measure(settings: Settings) -> list[Figure]:
    """The longest pass of the event loop while each request was answered, and the most processor time of one."""
    figures = []
    for number, (name, prepare) in enumerate(_requests().items()):
        data = settings.directory / f"holds-{number}"
        with milepost(data) as server:
            request = asyncio.run(_prepare(server, prepare))
        with milepost(data) as server:  # counts from its start
            wall, cpu = asyncio.run(_send(server, request))
        values = {OURS: [wall], "processor time": [cpu]}
        figures.append(Figure(f"one request: {name}", "longest hold, ms", values))
    return figures


async def _prepare(server: Server, prepare: Callable[[grpc.aio.Channel], Awaitable[Request]]) -> Request:
    async with work.connections(server.address, 1) as (channel,):
        return await prepare(channel)


async def _send(server: Server, request: Request) -> tuple[float, float]:
    async with work.connections(server.address, 2) as (channel, other):
        with contextlib.suppress(grpc.aio.AioRpcError):  # some are refused, after they were looked at
            await asyncio.wait_for(request(channel), _DEADLINE)
        stub: AdminServiceAsyncStub = AdminServiceStub(other)
        stats: GetStatsResponse = await stub.GetStats(GetStatsRequest())
        loop = stats.event_loop
        return loop.longest.ToNanoseconds() / 1e6, loop.longest_cpu.ToNanoseconds() / 1e6


# Preparations.


class _Lease(NamedTuple):
    job_id: str
    token: str


async def _running(channel: grpc.aio.Channel, stages: Sequence[Stage], started: Iterable[str] = ()) -> _Lease:
    """A job with these stages, which a worker has; some of them are started."""
    jobs: JobServiceAsyncStub = JobServiceStub(channel)
    submission = SubmitJobRequest(kind="k", stages=stages, dispatch=Dispatch.DISPATCH_EXTERNAL)
    job_id = (await jobs.SubmitJob(submission)).job.job_id
    call = work.open_work(channel)
    for request in (WorkRequest(hello=Hello(sdk="bench")), WorkRequest(claim=Claim(job_id=job_id))):
        await call.write(request.SerializeToString())
    while not (response := await work.receive(call)).HasField("assignment"):
        continue
    lease = _Lease(job_id, response.assignment.lease_token)
    starts = [Update(stage_started=StageStarted(stage=Stage(stage_id=name))) for name in started]
    await _report(lease, [*starts, Update(log_written=LogWritten(text="started"))], 1)(channel)
    return lease


def _report(lease: _Lease, updates: Sequence[Update], first: int) -> Request:
    request = ReportJobRequest(
        job_id=lease.job_id, lease_token=lease.token, first_report_sequence=first, updates=updates
    )

    async def send(channel: grpc.aio.Channel) -> object:
        stub: WorkerServiceAsyncStub = WorkerServiceStub(channel)
        return await stub.ReportJob(request)

    return send


def _reporting(
    updates: Sequence[Update], stages: Sequence[Stage] = (), started: Sequence[str] = ()
) -> Callable[[grpc.aio.Channel], Awaitable[Request]]:
    """A report of these updates for a job with these stages, some of which are started."""

    async def prepare(channel: grpc.aio.Channel) -> Request:
        lease = await _running(channel, stages, started)
        return _report(lease, updates, len(started) + 2)

    return prepare


def _submitting(request: SubmitJobRequest) -> Callable[[grpc.aio.Channel], Awaitable[Request]]:
    async def send(channel: grpc.aio.Channel) -> object:
        stub: JobServiceAsyncStub = JobServiceStub(channel)
        return await stub.SubmitJob(request)

    async def prepare(channel: grpc.aio.Channel) -> Request:
        return send

    return prepare


def _getting(given: Struct) -> Callable[[grpc.aio.Channel], Awaitable[Request]]:
    """Read a job with this input."""

    async def prepare(channel: grpc.aio.Channel) -> Request:
        jobs: JobServiceAsyncStub = JobServiceStub(channel)
        job = (await jobs.SubmitJob(SubmitJobRequest(kind="k", input=given))).job

        async def send(channel: grpc.aio.Channel) -> object:
            stub: JobServiceAsyncStub = JobServiceStub(channel)
            return await stub.GetJob(GetJobRequest(job_id=job.job_id))

        return send

    return prepare


def _listing(given: Struct) -> Callable[[grpc.aio.Channel], Awaitable[Request]]:
    """List two jobs with this input."""

    async def prepare(channel: grpc.aio.Channel) -> Request:
        for _ in range(2):
            await _getting(given)(channel)

        async def send(channel: grpc.aio.Channel) -> object:
            stub: JobServiceAsyncStub = JobServiceStub(channel)
            return await stub.ListJobs(ListJobsRequest())

        return send

    return prepare


async def _submit_again(channel: grpc.aio.Channel) -> Request:
    """Submit a job as it was submitted before, which is compared with what there is."""
    send = await _submitting(SubmitJobRequest(kind="k", request_id="r", input=_entries()))(channel)
    await send(channel)
    return send


async def _claim(channel: grpc.aio.Channel) -> Request:
    """Have a job assigned that has a large input."""
    jobs: JobServiceAsyncStub = JobServiceStub(channel)
    request = SubmitJobRequest(kind="k", input=_entries(), dispatch=Dispatch.DISPATCH_EXTERNAL)
    job_id = (await jobs.SubmitJob(request)).job.job_id

    async def send(channel: grpc.aio.Channel) -> object:
        call = work.open_work(channel)
        for sent in (WorkRequest(hello=Hello(sdk="bench")), WorkRequest(claim=Claim(job_id=job_id))):
            await call.write(sent.SerializeToString())
        while not (response := await work.receive(call)).HasField("assignment"):
            continue
        return response

    return send


async def _cancel(channel: grpc.aio.Channel) -> Request:
    lease = await _running(channel, _chain(), [f"s{number}" for number in range(990)])

    async def send(channel: grpc.aio.Channel) -> object:
        stub: JobServiceAsyncStub = JobServiceStub(channel)
        return await stub.CancelJob(CancelJobRequest(job_id=lease.job_id, grace_period=Duration()))

    return send


async def _nearest_kinds(channel: grpc.aio.Channel) -> Request:
    """Ask for a job of a kind that nobody takes, beside workers of a thousand kinds that are nearly the same."""
    jobs: JobServiceAsyncStub = JobServiceStub(channel)
    job = (await jobs.SubmitJob(SubmitJobRequest(kind="a" * 60 + "zzzz"))).job

    async def send(channel: grpc.aio.Channel) -> object:
        kinds = [f"{'a' * 30}{number:04}{'a' * 30}" for number in range(1000)]
        for first in range(0, 1000, 100):
            hello = Hello(sdk="bench", kinds=kinds[first : first + 100])
            await work.open_work(channel).write(WorkRequest(hello=hello).SerializeToString())
        await asyncio.sleep(0.5)
        stub: JobServiceAsyncStub = JobServiceStub(channel)
        return await stub.GetJob(GetJobRequest(job_id=job.job_id))

    return send


def _chain(total: float | None = None) -> list[Stage]:
    """Stages each within the one before."""
    return [
        Stage(stage_id=f"s{number}", parent_stage_id=f"s{number - 1}" if number else "", total=total)
        for number in range(_STAGES)
    ]


def _nulls(count: int) -> Struct:
    """An object of so many values, four bytes each: the most that fit."""
    nulls = Value()
    nulls.list_value.values.extend([Value(null_value=NULL_VALUE)] * count)
    return Struct(fields={"a": nulls})


def _entries() -> Struct:
    """An object of 80,000 entries, close to a MiB."""
    return Struct(fields={f"{number:x}": Value(null_value=NULL_VALUE) for number in range(80_000)})


def _progress(*stage_ids: str) -> list[Update]:
    """A thousand updates of these stages in turn, each further than the one before."""
    return [
        Update(stage_progressed=StageProgressed(stage_id=stage_ids[n % len(stage_ids)], current=n + 1))
        for n in range(1000)
    ]


def _requests() -> Mapping[str, Callable[[grpc.aio.Channel], Awaitable[Request]]]:
    """By their names; made when they are measured, since they take a second to make."""
    plan = Update(stages_planned=StagesPlanned(stages=[Stage(stage_id=f"{n}") for n in range(_STAGES)]))
    return {
        "1,000 stages submitted": _submitting(SubmitJobRequest(kind="k", stages=_chain())),
        "1 MiB of nulls submitted": _submitting(SubmitJobRequest(kind="k", input=_nulls(_NULLS_IN_A_MIB))),
        "4 MiB of empty stages": _submitting(
            SubmitJobRequest(kind="k", stages=[Stage()] * (_MESSAGE_BYTES // 2 - 9))
        ),
        "progress 1,000 deep": _reporting(_progress("s999"), _chain(), ["s999"]),
        "rising progress 1,000 deep": _reporting(_progress("s999"), _chain(2000), ["s999"]),
        "progress of two stages 1,000 deep": _reporting(
            _progress("s999", "s998"), _chain(2000), ["s998", "s999"]
        ),
        "580 plans of 1,000 stages": _reporting([plan] * 580),
        "1,000 stages declared": _reporting(
            [Update(stage_started=StageStarted(stage=stage)) for stage in _chain()]
        ),
        "1,000 stages ended from inside": _reporting(
            [
                Update(stage_ended=StageEnded(stage_id=f"s{n}", state=StageState.STAGE_STATE_SUCCEEDED))
                for n in reversed(range(990))
            ],
            _chain(),
            [f"s{n}" for n in range(990)],
        ),
        "1,000 artifacts": _reporting(
            [
                Update(artifact_added=ArtifactAdded(artifact=Artifact(name=f"{n}", uri="u")))
                for n in range(1000)
            ]
        ),
        "15 events of 256 KiB of nulls": _reporting(
            [Update(custom=Custom(type="t", json=_nulls(_NULLS_IN_A_MIB // 4 - 100)))] * 15
        ),
        "result of 1 MiB of nulls": _reporting(
            [Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED, result=_nulls(_NULLS_IN_A_MIB)))]
        ),
        "4 MiB of empty updates": _reporting([Update()] * (_MESSAGE_BYTES // 2 - 99)),
        "a job with 1 MiB of nulls read": _getting(_nulls(_NULLS_IN_A_MIB)),
        "two of them listed": _listing(_nulls(_NULLS_IN_A_MIB)),
        "80,000 entries submitted": _submitting(SubmitJobRequest(kind="k", input=_entries())),
        "80,000 entries submitted again": _submit_again,
        "a job with 80,000 entries read": _getting(_entries()),
        "two of them listed, too": _listing(_entries()),
        "a job with 80,000 entries assigned": _claim,
        "1,000 running stages cancelled": _cancel,
        "1,000 kinds that are nearly the same": _nearest_kinds,
    }
