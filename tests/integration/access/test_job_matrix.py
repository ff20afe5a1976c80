"""Which job exists for whom, at every method and message that names one; and what a share is good for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import NamedTuple

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import (
    DeleteJobRequest,
    Dispatch,
    JobFilter,
    ListJobsRequest,
    RevokeSharesRequest,
    ShareJobRequest,
    WatchJobsRequest,
)
from tests.support.forking import Forkery
from tests.support.methods import METHODS, OF_JOBS, WORK_OF_JOBS, outcome, request_for, work_outcome
from tests.support.principals import ALL
from tests.support.refused import Refused
from tests.support.rpc import Rpc, connect, eventually
from tests.support.server import Server, ServerProcess
from tests.support.token_files import Tokens

JOBS, WORKERS = "/milepost.v1.JobService/", "/milepost.v1.WorkerService/"
MISSING = "JOB_NOT_FOUND"

FOUND = {
    f"{JOBS}SubmitJob": "",  # as a child of the job
    f"{JOBS}GetJob": "",
    f"{JOBS}WatchJob": "",
    f"{JOBS}CancelJob": "",
    f"{JOBS}DeleteJob": "JOB_NOT_ENDED",
    f"{JOBS}ShareJob": "",
    f"{JOBS}RevokeShares": "",
    f"{WORKERS}ReportJob": "LEASE_LOST",
    "report": "LEASE_LOST",
    "claim": "",
    "resume": "LEASE_LOST",
    "release": "LEASE_LOST",
}
"""By method, or message of a session, the answer for a queued job that exists: the reason of a refusal, or none."""


class Principals(NamedTuple):
    """Callers: the owner of the jobs, another one, and one for whom all jobs exist."""

    owner: Rpc
    other: Rpc
    admin: Rpc


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """The tokens that the server knows."""
    made = Tokens(tmp_path_factory.mktemp("tokens") / "tokens.toml")
    made.add("owner", ["team-a"], *ALL)
    made.add("other", ["team-b"], *ALL)
    made.add("admin", ["*"], "admin")
    return made


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, known: Tokens, forkery: Forkery
) -> Iterator[ServerProcess]:
    """A server that knows them."""
    data = tmp_path_factory.mktemp("jobs") / "data"
    with ServerProcess(data, "--tokens", str(known.path), forkery=forkery) as started:
        yield started


@pytest.fixture
async def callers(server: Server, known: Tokens) -> AsyncIterator[Principals]:
    """The principals, connected."""
    async with AsyncExitStack() as stack:
        yield Principals(
            *[
                await stack.enter_async_context(connect(server.address, token=token))
                for token in known.secrets
            ]
        )


async def submit(rpc: Rpc, parent_job_id: str = "") -> str:
    """Submit a job that waits to be claimed."""
    job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, parent_job_id=parent_job_id)
    return job.job_id


async def deleted(rpc: Rpc) -> str:
    """The id of a job that was deleted."""
    job_id = await submit(rpc)
    await rpc.cancel(job_id)
    await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
    return job_id


async def missing(rpc: Rpc) -> str:
    """The id of no job, of the length of others."""
    return "01a0-never-submitted-" + rpc.kind[-15:]


async def answer(rpc: Rpc, name: str, job_id: str) -> str | Refused:
    """What the principal gets: nothing, or how it is refused; of a session the reason only."""
    if name in WORK_OF_JOBS:
        return await work_outcome(rpc, name, job_id)
    return (await outcome(rpc.channel, name, request_for(name, job_id).SerializeToString())) or ""


def reason(found: str | Refused) -> str:
    """The reason of an answer."""
    return found if isinstance(found, str) else found.reason


def test_everything_that_names_a_job_is_here() -> None:
    """A method or message that is added has to say what it answers."""
    assert set(FOUND) == {*OF_JOBS, *WORK_OF_JOBS}


@pytest.mark.parametrize("name", FOUND)
async def test_who_finds_which_job(callers: Principals, name: str) -> None:
    """A job exists for its owner and for whoever has all owners; for others it is as one that is missing or deleted."""
    found: dict[tuple[str, str], str] = {}
    others: set[str] = set()
    for who, rpc in callers._asdict().items():
        for state, make in (("existing", submit), ("missing", missing), ("deleted", deleted)):
            job_id = await make(callers.owner)
            got = await answer(rpc, name, job_id)
            found[who, state] = reason(got)
            if who == "other":
                others.add(str(got).replace(job_id, "J"))
    assert found == {
        (who, state): FOUND[name] if state == "existing" and who != "other" else MISSING
        for who in callers._fields
        for state in ("existing", "missing", "deleted")
    }
    assert len(others) == 1  # in all that they say, but for the id


DENIED = "PERMISSION_DENIED"
SHARED = {
    # The shared job, its child, another job; of a share that may read, and of one that may cancel, too.
    f"{JOBS}GetJob": (("", "", MISSING), ("", "", MISSING)),
    f"{JOBS}WatchJob": (("", "", MISSING), ("", "", MISSING)),
    f"{JOBS}CancelJob": ((DENIED,) * 3, ("", "", MISSING)),
    f"{JOBS}ListJobs": (("",) * 3, ("",) * 3),
    f"{JOBS}WatchJobs": (("",) * 3, ("",) * 3),
    f"{JOBS}WhoAmI": (("",) * 3, ("",) * 3),
}
"""What a share is good for; all other methods are denied."""


@pytest.mark.parametrize("path", METHODS)
async def test_shares(server: Server, callers: Principals, path: str) -> None:
    """A share is good for one job and its children while it is in force, whatever the method; then it is expired."""
    job_id, other = await submit(callers.owner), await submit(callers.owner)
    child = await submit(callers.owner, job_id)

    async def share(*scopes: str, seconds: int = 60, job_id: str = job_id) -> str:
        request = ShareJobRequest(job_id=job_id, scopes=scopes, ttl=Duration(seconds=seconds))
        return (await callers.owner.jobs.ShareJob(request)).token

    revoked = await share("cancel", job_id=other)
    await callers.owner.jobs.RevokeShares(RevokeSharesRequest(job_id=other))
    tokens = [await share(), await share("cancel")]
    async with connect(server.address) as rpc:

        async def called(token: str, about: str) -> str:
            request = request_for(path, about).SerializeToString()
            metadata = [("authorization", f"Bearer {token}")]
            return reason(await outcome(rpc.channel, path, request, metadata) or "")

        found = [[await called(token, about) for about in (child, job_id, other)] for token in tokens]
        assert [await called(revoked, about) for about in (job_id, other)] == ["TOKEN_EXPIRED"] * 2
    expected = SHARED.get(path, ((DENIED,) * 3,) * 2)
    assert found == [[each[1], each[0], each[2]] for each in expected]


async def test_lists_of_a_share(server: Server, callers: Principals) -> None:
    """They have the job and its children, whatever the filter asks for."""
    job_id, other = await submit(callers.owner), await submit(callers.owner)
    children = {await submit(callers.owner, job_id) for _ in range(2)}
    await submit(callers.owner, other)
    token = (await callers.owner.jobs.ShareJob(ShareJobRequest(job_id=job_id))).token
    filters = {
        "all": (JobFilter(), {job_id, *children}),
        "children": (JobFilter(parent_job_id=job_id), children),
        "children of another": (JobFilter(parent_job_id=other), set()),
        "another": (JobFilter(job_ids=[other]), set()),
        "another owner's": (JobFilter(owner="team-b"), set()),
    }
    found = {}
    async with connect(server.address, token=token) as guest:
        for name, (wanted, _) in filters.items():
            listed = (await guest.jobs.ListJobs(ListJobsRequest(filter=wanted))).jobs
            frames = guest.jobs.WatchJobs(WatchJobsRequest(filter=wanted, no_follow=True))
            events = [event async for frame in frames for event in frame.events.events]
            found[name] = {job.job_id for job in listed}, {event.job_id for event in events}
    # In WatchJobs a parent's filter has the parent as well.
    assert found == {
        name: (ids, ids | ({job_id} if name == "children" else set())) for name, (_, ids) in filters.items()
    }


async def test_shares_that_have_expired(server: Server, callers: Principals) -> None:
    """Whatever the method, it is refused as expired."""
    job_id = await submit(callers.owner)
    request = ShareJobRequest(job_id=job_id, scopes=["cancel"], ttl=Duration(seconds=1))
    metadata = [("authorization", f"Bearer {(await callers.owner.jobs.ShareJob(request)).token}")]
    async with connect(server.address) as rpc:

        async def called(path: str) -> str:
            sent = request_for(path, job_id).SerializeToString()
            return reason(await outcome(rpc.channel, path, sent, metadata) or "")

        async def is_over() -> bool:
            return await called(f"{JOBS}GetJob") != ""

        await eventually(is_over)
        found = {path: await called(path) for path in METHODS}
    assert found == dict.fromkeys(METHODS, "TOKEN_EXPIRED")
