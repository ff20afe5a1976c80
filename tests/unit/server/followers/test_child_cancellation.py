"""The children of a cancelled job are cancelled (rule 18), whatever error is in the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from milepost.server import decide
from milepost.server.decide import parent_cancelled
from milepost.server.decide.time_limits import Age
from milepost.server.followers import child_cancellation
from milepost.server.followers.child_cancellation import ChildCancellation
from milepost.server.journal import Decision
from milepost.server.log.event_log import StoredJob
from milepost.v1 import Job, JobState
from tests.support.rpc import eventually
from tests.unit.server.core import Core


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are followed by the next attempt, and each page has one child."""
    monkeypatch.setattr(child_cancellation, "STORE_RETRY_DELAY", 0.0)
    monkeypatch.setattr(child_cancellation, "_PAGE_SIZE", 1)


async def cancelled(core: Core, *job_ids: str) -> bool:
    """Whether all of these jobs are cancelled."""
    states = [(await core.journal.find(job_id)).state for job_id in job_ids]
    return states == [JobState.JOB_STATE_CANCELLED] * len(job_ids)


async def test_children_are_read_again_after_any_error(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the database, too, and on any page: the children behind it would run on. The log names the parent once."""
    await core.submit("parent")
    for child in ("a", "b", "c"):
        await core.submit(child, parent_job_id="parent")
    read, keys = core.log.active_children, list[int]()

    async def failing(job_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        keys.append(after)
        if keys.count(after) < 3:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return await read(job_id, after, limit)

    monkeypatch.setattr(core.log, "active_children", failing)
    with capture_logs() as lines:
        await core.cancel(0, "parent")
        await eventually(lambda: cancelled(core, "a", "b", "c"))

    assert [(line["event"], line["job_id"]) for line in lines if line["log_level"] == "error"] == [
        ("children of a cancelled job cannot be read yet", "parent")
    ]


async def test_reads_that_go_on_failing_are_ever_later(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a minute or so: a database that is damaged for good must not be read all the time."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    async def failing(job_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        if len(waited) < 8:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return []

    monkeypatch.setattr(child_cancellation, "STORE_RETRY_DELAY", 1.0)
    monkeypatch.setattr(child_cancellation, "asyncio", SimpleNamespace(sleep=wait))
    monkeypatch.setattr(core.log, "active_children", failing)
    children = ChildCancellation(core.log, core.journal, core.tasks)
    await children._cancel_each("parent", parent_cancelled(Job(), core.journal.ages.age))

    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 64.0]


async def test_a_parent_whose_children_cannot_be_cancelled_holds_up_no_other(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log names it, and the children of the next one are cancelled."""
    for parent in ("broken", "parent"):
        await core.submit(parent)
        await core.submit(f"child-of-{parent}", parent_job_id=parent)
    load = core.log.load

    async def load_cancelled(job_id: str, **options: Any) -> StoredJob | None:
        stored = await load(job_id, **options)
        if stored is None or stored.job.parent_job_id:
            return stored
        return replace(stored, job=Job(job_id=job_id, state=JobState.JOB_STATE_CANCELLED))

    def failing(parent: Job, age: Age) -> Decision:
        if parent.job_id == "broken":
            raise ValueError("unforeseen")
        return parent_cancelled(parent, age)

    monkeypatch.setattr(core.log, "load", load_cancelled)
    monkeypatch.setattr(decide, "parent_cancelled", failing)
    children = ChildCancellation(core.log, core.journal, core.tasks)
    with capture_logs() as lines:
        for parent in ("broken", "parent"):
            child = Job(job_id="new", parent_job_id=parent, state=JobState.JOB_STATE_QUEUED)
            children.on_transition(child)
        await eventually(lambda: cancelled(core, "child-of-parent"))

    assert [(line["event"], line["job_id"]) for line in lines if line["log_level"] == "error"] == [
        ("parent cannot be read; its children may run on", "broken")
    ]


async def test_a_parent_is_read_again_after_any_error(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the start of the server, where nobody else would look at it again; once, however often it is asked for."""
    await core.submit("parent")
    await core.submit("child", parent_job_id="parent")
    load, reads = core.log.load, 0

    async def failing(job_id: str, **options: Any) -> StoredJob | None:
        nonlocal reads
        stored = await load(job_id, **options)
        if job_id != "parent" or stored is None:
            return stored
        reads += 1
        if reads <= 3:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return replace(stored, job=Job(job_id=job_id, state=JobState.JOB_STATE_CANCELLED))

    monkeypatch.setattr(core.log, "load", failing)
    children = ChildCancellation(core.log, core.journal, core.tasks)
    with capture_logs() as lines:
        for _ in range(2):
            await children.recover("parent")
        await eventually(lambda: cancelled(core, "child"))

    assert [(line["event"], line["job_id"]) for line in lines if line["log_level"] == "error"] == [
        ("parent cannot be read; its children may run on", "parent")
    ]
    assert reads == 4
