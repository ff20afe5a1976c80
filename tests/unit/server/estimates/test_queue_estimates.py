"""Estimates of when a queued job starts: how much is looked at, and at a time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import pytest

from milepost.server.dispatch.job_queues import QueuePlace
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.dispatch.worker_session import Session
from milepost.server.estimation.job_estimates import REMAINING_MAX
from milepost.server.estimation.queue_estimates import SLOTS_PER_PASS, QueueEstimates
from milepost.server.forecasting.queue_schedule import Span
from milepost.server.messages.timestamps import duration
from milepost.v1 import Estimate, Hello, Job, Waiting
from tests.support.clock import FakeClock

_NONE = cast("Any", None)


@pytest.fixture
async def registry() -> WorkerRegistry:
    """A hundred workers with a hundred jobs each."""
    made = WorkerRegistry(FakeClock())
    for worker in range(100):
        session = Session(Hello(kinds=["k"], max_concurrency=100))
        session.jobs = {f"{worker}-{number}": None for number in range(100)}
        made.add(session)
    return made


async def test_the_capacity_names_some_jobs(registry: WorkerRegistry) -> None:
    """Of thousands of workers it would name a million, of which an estimate looks at a thousand."""
    capacity = registry.capacity("k", "")
    registry.close()
    assert (capacity.slots, capacity.busy) == (10_000, 10_000)
    assert len(capacity.job_ids) == 1000


async def test_others_go_first_between_some_of_the_slots(
    registry: WorkerRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand running jobs are not estimated in one pass of the event loop."""
    seen: list[str] = []
    passes = [0]

    async def remaining(_: QueueEstimates, job_id: str, caller: str) -> Span:
        seen.append(job_id)
        return Span(1.0, 1.0)

    async def others() -> None:
        while True:
            passes.append(len(seen))
            await asyncio.sleep(0)

    monkeypatch.setattr(QueueEstimates, "_remaining", remaining)
    estimates = QueueEstimates(
        _NONE, _NONE, _NONE, _NONE, registry, lambda _: None, lambda _: 50_000, FakeClock()
    )
    beside = asyncio.create_task(others())
    run = Estimate(remaining_p50=duration(1.0), remaining_p90=duration(2.0))
    start = await estimates._start(Job(job_id="j", kind="k"), run, "")
    beside.cancel()
    registry.close()

    assert start is not None
    assert max(after - before for before, after in pairwise(passes)) <= SLOTS_PER_PASS
    assert len(seen) > 10 * SLOTS_PER_PASS


async def test_a_start_that_is_further_away_than_a_duration_can_be(
    registry: WorkerRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The jobs that run before it may be another owner's, and count as many units as a number can have."""

    class Runs:
        async def of_run(self, *_: object) -> Estimate:
            return Estimate(remaining_p50=duration(1.0), remaining_p90=duration(2.0))

    async def remaining(_: QueueEstimates, job_id: str, caller: str) -> Span:
        return Span(1e30, 1e30)

    monkeypatch.setattr(QueueEstimates, "_remaining", remaining)
    place = QueuePlace(own_ahead=0, own_waiting=1, is_limited=False)
    runs = cast("Any", Runs())
    estimates = QueueEstimates(_NONE, runs, _NONE, _NONE, registry, lambda _: place, lambda _: 0, FakeClock())
    waiting = Waiting()
    await estimates.add(Job(job_id="j", kind="k"), waiting)
    registry.close()

    assert [waiting.start_p50.seconds, waiting.start_p90.seconds] == [REMAINING_MAX] * 2
