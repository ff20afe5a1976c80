"""Submissions: each once; and children with their parents."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from milepost.contract.reasons import reason_name
from milepost.server import store_errors
from milepost.server.access.principal import ANONYMOUS, Principal, Scope
from milepost.server.base.refusal import Refusal
from milepost.server.journal import Decision
from milepost.server.log.event_log import StoredJob
from milepost.server.log.log_errors import StoreUnavailable
from milepost.server.open_job import OpenJob
from milepost.server.submissions import Submissions
from milepost.v1 import Job, JobState, SubmitJobRequest
from tests.support.rpc import eventually
from tests.unit.server.core import Core


async def test_the_same_request_at_the_same_time_gives_one_job(core: Core) -> None:
    """A client may retry before the first call ends."""
    jobs = await asyncio.gather(*(core.submit("", request_id="r") for _ in range(5)))

    assert len({job.job_id for job in jobs}) == 1
    assert len((await core.log.active()).jobs) == 1


async def test_a_repeated_request_gets_the_outcome_of_the_first(core: Core) -> None:
    """It was accepted while its parent ran, and gets that answer although the parent has ended since."""
    await core.submit("parent")
    core.log.hold(1)
    first = asyncio.ensure_future(core.submit("", request_id="r", parent_job_id="parent"))
    await core.log.holds(1)
    await core.cancel(0, "parent")
    again = asyncio.ensure_future(core.submit("", request_id="r", parent_job_id="parent"))
    with pytest.raises(Refusal):
        await core.submit("", request_id="s", parent_job_id="parent")
    assert not again.done()

    core.log.let_go()
    assert (await first).job_id == (await again).job_id


async def test_other_content_at_the_same_time_is_refused(core: Core) -> None:
    """The first one counts."""
    outcomes = await asyncio.gather(
        *(core.submit("", request_id="r", owner="o", workload=float(number)) for number in range(3)),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    (accepted,) = [outcome for outcome in outcomes if isinstance(outcome, Job)]
    assert [reason_name(refusal.reason) for refusal in refused] == ["JOB_ALREADY_EXISTS"] * 2
    assert [refusal.metadata for refusal in refused] == [{"job_id": accepted.job_id}] * 2


async def test_the_same_id_at_the_same_time_is_refused(core: Core) -> None:
    """Without a request_id it may be another submission."""
    outcomes = await asyncio.gather(core.submit(), core.submit(), return_exceptions=True)

    assert {Job, Refusal} == {type(outcome) for outcome in outcomes}


async def test_an_id_of_the_servers_making_is_ordered_by_time(core: Core) -> None:
    """It is a UUID of version 7."""
    ids = []
    for _ in range(3):
        ids.append((await core.submit("")).job_id)
        core.clock.advance(1)

    assert [uuid.UUID(job_id).version for job_id in ids] == [7, 7, 7]
    assert sorted(ids) == ids


@pytest.mark.parametrize("grace", [0, 30])
async def test_a_child_does_not_slip_past_its_parents_cancellation(core: Core, grace: float) -> None:
    """Rule 18: its parent ran at the submission, and was cancelled before the child was durable."""
    await core.submit("parent")
    await core.start("parent")
    core.log.hold(1)
    submitting = asyncio.ensure_future(core.submit("child", parent_job_id="parent"))
    await core.log.holds(1)
    await core.cancel(grace, "parent")
    core.log.let_go()
    await submitting

    async def cancelled() -> bool:
        return (await core.journal.find("child")).state == JobState.JOB_STATE_CANCELLED

    await eventually(cancelled)
    assert (await core.journal.find("child")).cancellation.requested_by == "parent job parent"


async def test_children_are_cancelled_once_the_store_can_be_read(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 18, also where an error of the store comes between the cancellation and its children."""
    monkeypatch.setattr(store_errors, "STORE_RETRY_DELAY", 0.0)
    await core.submit("parent")
    await core.submit("child", parent_job_id="parent")
    read, failures = core.log.active_children, [StoreUnavailable("disk I/O error")]

    async def failing(job_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        if failures:
            raise failures.pop()
        return await read(job_id, after, limit)

    monkeypatch.setattr(core.log, "active_children", failing)
    await core.cancel(0, "parent")

    async def cancelled() -> bool:
        return (await core.journal.find("child")).state == JobState.JOB_STATE_CANCELLED

    await eventually(cancelled)


@pytest.mark.parametrize(
    "error", [StoreUnavailable("the write failed"), ValueError("a damaged row")], ids=repr
)
async def test_children_behind_one_that_cannot_be_cancelled_are_cancelled(
    core: Core, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Rule 18, whatever its error is: they would run on."""
    await core.submit("parent")
    for child in ("damaged", "child"):
        await core.submit(child, parent_job_id="parent")
    commit = core.journal.commit

    async def failing(job_id: str, decision: Decision, **options: Any) -> OpenJob:
        if job_id == "damaged":
            raise error
        return await commit(job_id, decision, **options)

    monkeypatch.setattr(core.journal, "commit", failing)
    await core.cancel(0, "parent")

    async def cancelled() -> bool:
        return (await core.journal.find("child")).state == JobState.JOB_STATE_CANCELLED

    await eventually(cancelled)


async def test_a_damaged_row_does_not_keep_other_children_from_being_cancelled(
    core: Core, tmp_path: Path
) -> None:
    """Rule 18: what is read of children is their ids."""
    await core.submit("parent")
    for child in ("damaged", "child"):
        await core.submit(child, parent_job_id="parent")
    with closing(sqlite3.connect(tmp_path / "milepost.db")) as database, database:
        database.execute("UPDATE jobs SET job = x'0aff' WHERE job_id = 'damaged'")
    await core.cancel(0, "parent")

    async def cancelled() -> bool:
        return (await core.journal.find("child")).state == JobState.JOB_STATE_CANCELLED

    await eventually(cancelled)


async def test_a_parent_is_looked_at_once_for_all_that_wait(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the store fails there would be a retry for each of its children, of which there may be thousands."""
    await core.submit("parent")

    async def failing(job_id: str, **_: object) -> StoredJob | None:
        raise StoreUnavailable(f"{job_id} cannot be read")

    monkeypatch.setattr(core.log, "load", failing)
    for _ in range(5):
        await core.submit("", parent_job_id="parent")
    assert len(core.tasks) == 1


async def test_a_job_of_others_without_an_owner_is_no_child_of_an_earlier_server(core: Core) -> None:
    """Its request_id may be the same by chance, and its log so short that nothing else can be compared."""
    await core.submit("parent", owner="o")
    other = await core.submissions.submit(SubmitJobRequest(kind="other", job_id="old", request_id="r"))
    await core.cancel(0, "old")
    await core.log.trim("old", 2)
    child = SubmitJobRequest(kind="k", parent_job_id="parent", owner="o", request_id="r")
    submitted = await core.submissions.submit(child, inherits_owner=True)
    assert submitted.job_id != other.job_id
    assert (submitted.kind, submitted.parent_job_id) == ("k", "parent")


@pytest.mark.parametrize("job_id", ["", "child"])
async def test_a_child_that_an_earlier_server_left_without_an_owner(core: Core, job_id: str) -> None:
    """The same request finds it (decision 0078), with an id or without; another request is another job's."""
    await core.submit("parent", owner="o")
    fields: dict[str, Any] = {"kind": "k", "parent_job_id": "parent", "job_id": job_id}
    earlier = await core.submissions.submit(SubmitJobRequest(**fields, request_id="r"))
    again = SubmitJobRequest(**fields, request_id="r", owner="o")
    assert (await core.submissions.submit(again, inherits_owner=True)).job_id == earlier.job_id

    stranger = Principal("p", frozenset({"o"}), frozenset({Scope.SUBMIT}))
    others = [(again, stranger, True), (again, ANONYMOUS, False)]
    if not job_id:
        other = SubmitJobRequest(**fields, request_id="r", owner="o", workload=1.0)
        assert (await core.submissions.submit(other, inherits_owner=True)).job_id != earlier.job_id
    else:
        for request, submitter, inherits in others:
            with pytest.raises(Refusal) as refused:
                await core.submissions.submit(request, "", submitter, inherits_owner=inherits)
            assert reason_name(refused.value.reason) == "JOB_ALREADY_EXISTS"


async def test_a_request_that_another_node_has_done_by_now_finds_its_job(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision 0082: its id was that of a deleted job when this node looked, and is that of the request's own since."""
    await core.submit("j", request_id="old")
    await core.cancel(0, "j")
    elsewhere = Submissions(core.log, core.journal, core.clock)
    request = SubmitJobRequest(job_id="j", kind="k", request_id="new")

    async def catch_up(job_id: str) -> None:
        monkeypatch.undo()
        await core.log.delete(job_id)
        await elsewhere.submit(request)

    monkeypatch.setattr(core.log, "catch_up", catch_up)
    assert (await core.submissions.submit(request)).state == JobState.JOB_STATE_QUEUED
