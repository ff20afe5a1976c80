"""Runs of Hatchet that wait for their next attempt, without an engine and without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from milepost.client.engines.hatchet import waiting_runs
from milepost.client.engines.hatchet.engine_state import StateReader
from milepost.client.engines.hatchet.waiting_runs import WaitingRuns
from milepost.v1 import Job


async def test_a_search_that_meets_a_defect_is_repeated(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise jobs whose runs were cancelled would wait for good, as nobody else in the process looks for them."""
    monkeypatch.setattr(waiting_runs, "SEARCH_INTERVAL", 0.0)
    searches, found = 0, asyncio.Event()

    async def get(job_id: str) -> Job:
        raise AssertionError(job_id)

    async def cancel(job_id: str, reason: str) -> None:
        raise AssertionError(job_id, reason)

    async def list_waiting() -> AsyncIterator[Job]:
        nonlocal searches
        searches += 1
        yield Job(job_id="j", attempt=1)

    def reader(job: Job) -> StateReader | None:
        if searches == 1:
            raise AttributeError("as of another SDK")
        found.set()
        return None

    waiting = WaitingRuns(get, cancel, list_waiting)
    waiting.look(reader)
    await asyncio.wait_for(found.wait(), 120)
    waiting.close()
    assert caplog.messages == ["polling the runs that wait for their next attempt failed"]
