"""Snapshots of a job that is watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from milepost.client import JobSnapshot
from milepost.client._watch.watch_factory import final_job, fold_snapshots
from milepost.v1 import Estimate, Event, Job, JobEnded, JobState, JobSubmitted


class _Watch:
    """Batches of items, each with the estimate of that moment."""

    def __init__(self, *batches: tuple[Sequence[Event | Job], Estimate | None]) -> None:
        self._batches = batches
        self.estimate: Estimate | None = None

    async def __aenter__(self) -> _Watch:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Nothing to close."""

    async def batches(self) -> AsyncIterator[Sequence[Event | Job]]:
        """The items of each batch."""
        for items, estimate in self._batches:
            self.estimate = estimate
            yield items


async def test_a_snapshot_has_the_estimate_of_its_moment() -> None:
    """It has none where there is no evidence any more (rule 19), and no later snapshot changes it."""
    submitted = Event(sequence=1, job_submitted=JobSubmitted(job=Job(job_id="j")))
    ended = Event(sequence=3, job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
    watch = _Watch(
        ([submitted], None),
        ([Event(sequence=2)], Estimate(sample_size=3)),
        ([], Estimate(sample_size=4)),
        ([ended], None),
    )

    snapshots = [snapshot async for snapshot in fold_snapshots(cast("Any", watch))]

    assert [snapshot.estimate.sample_size for snapshot in snapshots] == [0, 3, 4, 0]
    assert [snapshot.last_sequence for snapshot in snapshots] == [1, 2, 2, 3]
    assert [snapshot.HasField("estimate") for snapshot in snapshots] == [False, True, True, False]


async def test_a_result_that_does_not_come_in_time() -> None:
    """The error says which job, and how long was waited."""

    async def endless() -> AsyncIterator[JobSnapshot]:
        yield JobSnapshot(Job(job_id="j"))
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError, match=r"^Job 'j' has not ended within 0 s; it continues\.$"):
        await final_job(endless(), "j", 0)
