"""What stays in messages: texts that are overwritten, stages that are planned again, and inputs that are cleared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from typing import TYPE_CHECKING

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import (
    Dispatch,
    Stage,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    SubmitJobRequest,
    Update,
)
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["INPUTS", "MESSAGES", "PLANS"]

_MESSAGES = 80_000
_MESSAGE_BYTES = 3900
_MESSAGES_PER_REPORT = 500

_PLANS = 1000
_STAGES = 900
_TITLE_BYTES = 250
_PLANS_PER_REPORT = 10

_INPUTS = 1000
_INPUT_BYTES = 1_000_000


async def _report(
    address: str, seconds: float, start: list[Update], reports: partial[Iterator[list[Update]]], count: int
) -> AsyncGenerator[None]:
    """Report ``count`` times, evenly over the seconds; a report waits for the acknowledgement of the one before."""
    async with work.connections(address, 1) as (channel,):
        session = await work.Session.open(channel, work.submit(address))
        await session.send(session.encode(start))
        await session.acknowledged(session.reported)
        yield
        begun = time.monotonic()
        for number, updates in enumerate(reports()):
            await session.send(session.encode(updates))
            await session.acknowledged(session.reported)
            await asyncio.sleep(begun + (number + 1) * seconds / count - time.monotonic())
        yield


def _messages() -> Iterator[list[Update]]:
    for first in range(0, _MESSAGES, _MESSAGES_PER_REPORT):
        yield [
            Update(
                stage_progressed=StageProgressed(
                    stage_id="s", current=number + 1, message=f"{number}".ljust(_MESSAGE_BYTES, "m")
                )
            )
            for number in range(first, first + _MESSAGES_PER_REPORT)
        ]


def _plans() -> Iterator[list[Update]]:
    plan = Update(stages_planned=StagesPlanned(stages=[Stage(stage_id="next")]))
    for _ in range(0, _PLANS, _PLANS_PER_REPORT):
        yield [plan] * _PLANS_PER_REPORT


def _overwrite_messages(address: str, seconds: float) -> AsyncGenerator[None]:
    start = [Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=_MESSAGES)))]
    return _report(address, seconds, start, partial(_messages), _MESSAGES // _MESSAGES_PER_REPORT)


def _plan_again(address: str, seconds: float) -> AsyncGenerator[None]:
    """Each plan leaves the stages that have started, and writes them once more."""
    start = [
        Update(stage_started=StageStarted(stage=Stage(stage_id=f"{number}", title="t" * _TITLE_BYTES)))
        for number in range(_STAGES)
    ]
    return _report(address, seconds, start, partial(_plans), _PLANS // _PLANS_PER_REPORT)


async def _submit_inputs(address: str, seconds: float) -> AsyncGenerator[None]:
    async with work.connections(address, 1) as (channel,):
        stub: JobServiceAsyncStub = JobServiceStub(channel)
        request = SubmitJobRequest(kind="large", dispatch=Dispatch.DISPATCH_EXTERNAL)
        request.input.update({"text": "x" * _INPUT_BYTES})
        yield
        begun = time.monotonic()
        for number in range(_INPUTS):
            await stub.SubmitJob(request)
            await asyncio.sleep(begun + (number + 1) * seconds / _INPUTS - time.monotonic())
        yield


MESSAGES = Attack(_overwrite_messages)
"""80,000 messages of 3.9 kB for one stage."""

PLANS = Attack(_plan_again)
"""1,000 plans of one stage, for a job in which 900 others have started."""

INPUTS = Attack(_submit_inputs)
"""1,000 jobs with 1 MB of input each, one after the other."""
