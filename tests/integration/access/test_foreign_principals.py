"""Principals that attack one another, at a real server with a token file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import grpc
import pytest

from milepost.v1 import (
    DeleteJobRequest,
    Dispatch,
    GetJobRequest,
    JobFilter,
    JobState,
    ListWorkersRequest,
    Resume,
    Waiting,
    WatchJobResponse,
    WatchJobsRequest,
)
from tests.support.forking import Forkery
from tests.support.principals import ALL, Cast, refusal
from tests.support.rpc import Rpc, StreamEnded, eventually, state_name, succeeded
from tests.support.server import Server, ServerProcess
from tests.support.token_files import Tokens


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, known: Tokens) -> Iterator[Server]:
    """A server with a token file."""
    with ServerProcess(tmp_path / "data", "--tokens", str(known.path), forkery=forkery) as started:
        yield started


@pytest.mark.parametrize("owners", [["team-a"], ["*"]], ids=["its job's owner", "all owners"])
async def test_a_worker_process_cannot_be_impersonated(caller: Cast, owners: list[str]) -> None:
    """Who reads the instance of a shared worker from a job neither ends its session nor takes its jobs away."""
    a, shared = await caller("a", ["team-a"], *ALL), await caller("gpu", ["*"], "work")
    thief = await caller("thief", owners, *ALL)
    b = await caller("b", ["team-b"], *ALL)
    async with shared.session(kinds=["k"], instance="process-1") as session:
        jobs = [await a.submit(kind="k"), await b.submit(kind="k")]
        assigned = [await session.take(), await session.take()]
        held = {job.job_id: token for job, token in assigned}
        seen = (await a.get(jobs[0].job_id)).worker_instance
        for instance in {seen, "process-1"}:
            async with thief.session(kinds=[], instance=instance):
                for job in jobs:
                    await session.send(resume=Resume(job_id=job.job_id, lease_token=held[job.job_id]))
                    assert (await session.receive("resumed")).resumed.job_id == job.job_id
        assert [state_name(await (a, b)[index].get(job.job_id)) for index, job in enumerate(jobs)] == [
            "RUNNING"
        ] * 2


async def test_a_worker_process_connects_again_with_another_token(caller: Cast, known: Tokens) -> None:
    """It is the same process with another token of its subject: it leaves its older session."""
    gpu = await caller("gpu", ["team-a"], "work")
    known.entries["its older token"] = known.entries["gpu"]
    renewed = await caller("gpu", ["team-a"], "work", id='"renewed"')
    async with gpu.session(instance="process-1") as older, renewed.session(instance="process-1"):
        with pytest.raises(StreamEnded):
            await older.next()


async def _finished(rpc: Rpc, job_id: str) -> None:
    async with rpc.session(kinds=["k"]) as session:
        _, token = await session.take()
        await session.report(job_id, token, 1, succeeded())
        await session.receive("acknowledged")


async def test_an_id_that_another_owner_uses_now(caller: Cast) -> None:
    """A feed that still has commits of a deleted job shows nothing of another owner's later job with its id."""
    a, b = await caller("a", ["team-a"], *ALL), await caller("b", ["team-b"], *ALL)
    ended = JobFilter(states=[JobState.JOB_STATE_SUCCEEDED])
    feed = a.jobs.WatchJobs(WatchJobsRequest(filter=ended, from_latest=True))
    position = -1
    async for frame in feed:
        if frame.HasField("opened"):
            position = frame.opened.cursor
        if frame.HasField("caught_up"):
            break
    await a.submit(job_id="nightly", kind="k")
    await _finished(a, "nightly")
    await a.jobs.DeleteJob(DeleteJobRequest(job_id="nightly"))
    await b.submit(job_id="nightly", kind="k", input={"secret": "of team-b"})
    again = a.jobs.WatchJobs(WatchJobsRequest(filter=ended, after_position=position, no_follow=True))
    frames = [frame async for frame in again]
    assert [frame.snapshot.job.owner for frame in frames if frame.HasField("snapshot")] == []
    assert "team-b" not in str(frames)
    feed.cancel()


async def test_an_id_whose_children_still_exist(caller: Cast) -> None:
    """Only their owner gets it, so that nothing of another job reaches them; once they are gone, everybody does."""
    a, b = await caller("a", ["team-a"], *ALL), await caller("b", ["team-b"], *ALL)
    await a.submit(job_id="nightly", kind="k")
    child = await a.submit(parent_job_id="nightly", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await _finished(a, "nightly")
    await a.jobs.DeleteJob(DeleteJobRequest(job_id="nightly"))
    code, reason, text, metadata = await refusal(b.submit(job_id="nightly"))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "JOB_ALREADY_EXISTS")
    assert metadata == {"job_id": "nightly"}
    assert child.job_id not in text
    again = await a.submit(job_id="nightly")
    await a.cancel(again.job_id)
    await eventually(lambda: _is_in(a, child.job_id, "CANCELLED"))
    for job_id in (child.job_id, "nightly"):
        await a.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
    assert (await b.submit(job_id="nightly")).owner == "team-b"


async def _is_in(rpc: Rpc, job_id: str, state: str) -> bool:
    return state_name(await rpc.get(job_id)) == state


async def test_workers_of_other_owners_are_not_told(caller: Cast) -> None:
    """Neither that they are there, nor what they take: not to readers of a job, and not in an open watch of it."""
    a, b = await caller("a", ["team-a"], *ALL), await caller("b", ["team-b"], *ALL)
    shared, root = await caller("gpu", ["*"], "work"), await caller("root", ["*"], "admin")
    exact, typo = await a.submit(kind="transcribe"), await a.submit(kind="archve")

    async def waiting(rpc: Rpc, job_id: str) -> Waiting:
        return (await rpc.jobs.GetJob(GetJobRequest(job_id=job_id))).waiting

    async def listed() -> int:
        return len((await root.admin.ListWorkers(ListWorkersRequest())).workers)

    async with b.session(kinds=["transcribe", "archive"], max_concurrency=0):
        await eventually(listed)
        for rpc in (a, root):
            for job in (exact, typo):
                found = await waiting(rpc, job.job_id)
                assert (found.workers, list(found.nearest_kinds)) == (0, [])
        watch = a.watch(typo.job_id)
        while not (frame := cast("WatchJobResponse", await watch.read())).HasField("status"):
            pass
        assert list(frame.status.waiting.nearest_kinds) == []
        watch.cancel()
        async with shared.session(kinds=["transcribe", "archives"], max_concurrency=0):
            assert (await waiting(a, exact.job_id)).workers == 1
            assert list((await waiting(a, typo.job_id)).nearest_kinds) == ["archives"]
