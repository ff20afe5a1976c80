"""What is remembered of parents between the updates of their progress."""

from __future__ import annotations

import sqlite3

import pytest

from milepost.server.followers import parent_updates
from milepost.server.followers.parent_updates import ParentUpdates
from milepost.server.log.event_log import ChildrenSummary, Entry
from milepost.server.log.log_errors import StoreUnavailable
from milepost.v1 import JobEnded, JobState, Update
from tests.support.rpc import eventually
from tests.unit.server.core import Core


async def test_nothing_is_remembered_of_parents_that_have_ended(core: Core) -> None:
    """Whether they end before their last child or after it, so that memory does not grow with the number of jobs."""
    updates = ParentUpdates(core.log, core.journal, core.tasks)
    core.log.add_listener(updates.on_entries)
    ends = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
    for parent_first in (False, True):
        parent, child = f"p{parent_first}", f"c{parent_first}"
        await core.submit(parent)
        token = await core.start(parent)
        await core.submit(child, parent_job_id=parent)
        child_token = await core.start(child)

        async def updated(parent: str = parent) -> bool:
            return parent in updates._reported_ended

        await eventually(updated)
        ending = [(child_token, child), (token, parent)]
        for each, job_id in reversed(ending) if parent_first else ending:
            await core.report(each, ends, job_id=job_id)

    async def forgotten() -> bool:
        return not (updates._reported_ended or updates._outdated or updates._updating)

    await eventually(forgotten)


async def test_parents_behind_one_that_cannot_be_updated_are_updated(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its error is, such as that of a read: their progress would be lost until their next child has some."""
    summarise = core.log.children_summary

    async def summary(job_id: str) -> ChildrenSummary:
        if job_id == "damaged":
            raise sqlite3.DatabaseError("database disk image is malformed")
        return await summarise(job_id)

    monkeypatch.setattr(core.log, "children_summary", summary)
    entries: list[Entry] = []
    core.log.add_listener(entries.extend)
    ends = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
    for parent in ("damaged", "p"):
        await core.submit(parent)
        await core.submit(f"{parent}-child", parent_job_id=parent)
        await core.report(await core.start(f"{parent}-child"), ends, job_id=f"{parent}-child")
    ParentUpdates(core.log, core.journal, core.tasks).on_entries(entries)

    async def updated() -> bool:
        return (await core.journal.find("p")).fraction == 0.5

    await eventually(updated)


async def test_a_parent_that_the_store_refuses_is_updated_later(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a backoff, as the store may refuse it for long; its children need not report again."""
    monkeypatch.setattr(parent_updates, "STORE_RETRY_DELAY", 0.0)
    updates = ParentUpdates(core.log, core.journal, core.tasks)
    core.log.add_listener(updates.on_entries)
    await core.submit("p")
    await core.submit("child", parent_job_id="p")
    token = await core.start("child")
    summarise, failures = core.log.children_summary, [StoreUnavailable("disk I/O error")]

    async def summary(job_id: str) -> ChildrenSummary:
        if failures:
            raise failures.pop()
        return await summarise(job_id)

    monkeypatch.setattr(core.log, "children_summary", summary)
    await core.report(token, Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)), job_id="child")

    async def updated() -> bool:
        return (await core.journal.find("p")).fraction == 0.5

    await eventually(updated)
    assert failures == []
