"""Ends: the processor time of the server for the end of a job that succeeds, which estimates learn from.

Beside one that fails, from which nothing is learned: all else is the same.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

from bench import work
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import Load, Server, milepost, nats
from milepost.v1 import (
    Claim,
    Dispatch,
    Failure,
    Hello,
    JobEnded,
    JobState,
    Report,
    Stage,
    StageEnded,
    StageProgressed,
    StageStarted,
    StageState,
    SubmitJobRequest,
    Update,
    WorkRequest,
)
from milepost.v1.job_service_pb2_grpc import JobServiceStub

__all__ = ["measure"]

_JOBS: Final = 300
"""Jobs of a round, which end one after the other."""

_STAGES: Final = ("load", "work", "store")
_UNITS: Final = 10

_SUCCESS: Final = JobEnded(state=JobState.JOB_STATE_SUCCEEDED)
_FAILURE: Final = JobEnded(state=JobState.JOB_STATE_FAILED, failure=Failure(code="X"))


def measure(settings: Settings) -> list[Figure]:
    """Processor time of an end, one job after the other over gRPC, each with three stages of ten units."""
    figures: list[Figure] = []
    with ExitStack() as stack, Load.start() as load:
        store = stack.enter_context(nats(settings.directory / "nats"))
        on_nats = "--store", store.address, "--nats-sync-always"
        for what, options in (("the end of a job", ()), ("the end of a job, with NATS", on_nats)):
            directory = settings.directory / f"ends-{len(figures)}"
            with milepost(directory, *options) as server:
                run_round = partial(_run_round, load, server)
                contestants = {OURS: partial(run_round, _SUCCESS), "a failure": partial(run_round, _FAILURE)}
                figures += rounds(what, contestants, settings)
    return figures


def _run_round(load: Load, server: Server, end: JobEnded) -> Round:
    load.begin(_end_jobs, server.address, end)
    load.step()
    before = server.cpu()
    load.step()
    return {"server CPU, µs": (server.cpu() - before) / _JOBS * 1e6}


def _run() -> Iterator[Update]:
    for name in _STAGES:
        yield Update(stage_started=StageStarted(stage=Stage(stage_id=name)))
        for done in range(1, _UNITS + 1):
            yield Update(stage_progressed=StageProgressed(stage_id=name, current=done))
        yield Update(stage_ended=StageEnded(stage_id=name, state=StageState.STAGE_STATE_SUCCEEDED))


# --- In the load process ------------------------------------------------------------------------------------


async def _end_jobs(address: str, end: JobEnded) -> AsyncGenerator[None]:
    """Yield once all jobs are about to end, and once they have ended."""
    plan = [Stage(stage_id=name, total=_UNITS) for name in _STAGES]
    run = list(_run())
    async with work.connections(address, 1) as (channel,):
        call = work.open_work(channel)
        await call.write(WorkRequest(hello=Hello(sdk="bench")).SerializeToString())
        await work.receive(call)
        tokens: dict[str, str] = {}
        for _ in range(_JOBS):
            request = SubmitJobRequest(
                job_id=str(uuid.uuid4()), kind="bench", stages=plan, dispatch=Dispatch.DISPATCH_EXTERNAL
            )
            await JobServiceStub(channel).SubmitJob(request)
            await call.write(WorkRequest(claim=Claim(job_id=request.job_id)).SerializeToString())
            token = tokens[request.job_id] = (await work.receive(call)).assignment.lease_token
            await _report(call, request.job_id, token, 1, run)
        yield
        for job_id, token in tokens.items():
            await _report(call, job_id, token, len(run) + 1, [Update(job_ended=end)])
        yield
        await call.done_writing()


async def _report(
    call: work.WorkCall, job_id: str, token: str, first: int, updates: Sequence[Update]
) -> None:
    """Send a report, and wait until it is acknowledged."""
    report = Report(job_id=job_id, lease_token=token, first_report_sequence=first, updates=updates)
    await call.write(WorkRequest(report=report).SerializeToString())
    last = first + len(updates) - 1
    while (await work.receive(call)).acknowledged.report_sequence < last:
        pass
