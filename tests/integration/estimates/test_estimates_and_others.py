"""What estimates tell of jobs that do not exist for their reader (rule 10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.access.credentials import tokens
from milepost.v1 import GetHistoryResponse, ListJobsRequest, ShareJobRequest
from tests.support.forking import Forkery
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess
from tests.support.staged_runs import get, history

TOKENS = {name: tokens.new_token() for name in ("ann", "bob", "worker")}
OWNERS = {"ann": ["ann"], "bob": ["bob"], "worker": ["ann", "bob"]}


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server with two owners, and a worker for both."""
    path = tmp_path / "tokens.toml"
    path.write_text(
        "".join(
            f'[[token]]\nid = "{name}"\nsha256 = "{tokens.digest(token)}"\nsubject = "{name}"\n'
            f'owners = {OWNERS[name]}\nscopes = ["submit", "read", "cancel", "work"]\n'
            for name, token in TOKENS.items()
        )
    )
    with ServerProcess(tmp_path / "data", "--tokens", str(path), forkery=forkery) as started:
        yield started


def caller(server: ServerProcess, token: str) -> AbstractAsyncContextManager[Rpc]:
    """Connect with a token."""
    return connect(server.address, token=token)


async def test_a_place_in_the_queue_counts_jobs_of_its_owner_only(server: ServerProcess) -> None:
    """However many jobs of others wait, before or after it; in calls and in watches."""
    async with (
        caller(server, TOKENS["ann"]) as ann,
        caller(server, TOKENS["bob"]) as bob,
        caller(server, TOKENS["worker"]) as both,
        both.session(kinds=["k"], max_concurrency=1) as session,
    ):
        for _ in range(3):
            await bob.submit(kind="k", owner="bob")
        await session.take()
        mine = [(await ann.submit(kind="k", owner="ann")).job_id for _ in range(2)]
        await bob.submit(kind="k", owner="bob", priority=5)
        places = [(await get(ann, job_id)).waiting for job_id in mine]
        watch = ann.watch(mine[1])
        async for frame in watch:
            if frame.HasField("status"):
                places.append(frame.status.waiting)
                break
        watch.cancel()
    assert [(place.jobs_ahead, place.jobs_waiting) for place in places] == [(0, 2), (1, 2), (1, 2)]


async def test_a_share_shows_no_queue_position(server: ServerProcess) -> None:
    """Since it counts other jobs of the owner, which do not exist for the bearer; nor is the history of a kind told."""
    async with caller(server, TOKENS["ann"]) as ann:
        await ann.submit(kind="k", owner="ann")
        shared = (await ann.submit(kind="k", owner="ann")).job_id
        request = ShareJobRequest(job_id=shared, scopes=["read"], ttl=Duration(seconds=60))
        token = (await ann.jobs.ShareJob(request)).token
        async with caller(server, token) as guest:
            found = [(await get(guest, shared)).waiting]
            found += [each.waiting for each in (await guest.jobs.ListJobs(ListJobsRequest())).waiting]
            watch = guest.watch(shared)
            async for frame in watch:
                if frame.HasField("status"):
                    found.append(frame.status.waiting)
                    break
            watch.cancel()
        own = (await get(ann, shared)).waiting
    assert [(place.jobs_ahead, place.jobs_waiting) for place in found] == [(0, 0)] * 3
    assert (own.jobs_ahead, own.jobs_waiting) == (1, 2)


async def test_the_history_of_another_owner_is_empty(server: ServerProcess) -> None:
    """As if nothing had run."""
    async with caller(server, TOKENS["bob"]) as bob:
        assert await history(bob, "k", "ann") == GetHistoryResponse()
