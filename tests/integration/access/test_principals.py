"""Who may do what, at a real server with a token file."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from milepost.server.access.credentials import tokens
from milepost.v1 import (
    Claim,
    Dispatch,
    ErrorReason,
    JobFilter,
    ListJobsRequest,
    Release,
    Report,
    Resume,
    WatchJobsRequest,
)
from tests.support.forking import Forkery
from tests.support.principals import ALL, Cast, calls, frames, refusal
from tests.support.rpc import (
    Rpc,
    connect,
    error_info,
    log_line,
    succeeded,
)
from tests.support.server import Server, ServerProcess
from tests.support.token_files import Tokens


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, known: Tokens) -> Iterator[Server]:
    """A server with a token file."""
    with ServerProcess(tmp_path / "data", "--tokens", str(known.path), forkery=forkery) as started:
        yield started


def report(job_id: str, token: str) -> Report:
    """A report of one log line."""
    return Report(job_id=job_id, lease_token=token, first_report_sequence=1, updates=[log_line("x")])


@pytest.mark.parametrize("name", ["get", "watch", "cancel", "delete", "child", "share", "revoke", "report"])
async def test_a_foreign_job_does_not_exist(caller: Cast, name: str) -> None:
    """A call that names a job of another owner has the answer of one that names no job, but for the id."""
    ours, theirs = await caller("ours", ["team-a"], *ALL), await caller("theirs", ["team-b"], *ALL)
    job = await theirs.submit()
    assert job.owner == "team-b"
    foreign = await refusal(calls(ours, job.job_id)[name]())
    missing = await refusal(calls(ours, "missing")[name]())
    assert str(foreign).replace(job.job_id, "missing") == str(missing)
    assert foreign[:2] == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")


async def test_lists_are_narrowed(caller: Cast) -> None:
    """Lists and feeds have the jobs of the principal's owners, whatever the filter asks for."""
    a, b = await caller("a", ["team-a"], *ALL), await caller("b", ["team-b"], *ALL)
    both, root = await caller("both", ["team-a", "team-b"], "read"), await caller("root", ["*"], "admin")
    jobs = {"team-a": (await a.submit()).job_id, "team-b": (await b.submit()).job_id}
    jobs["team-c"] = (await root.submit(owner="team-c")).job_id

    async def listed(rpc: Rpc, owner: str = "") -> set[str]:
        request = ListJobsRequest(filter=JobFilter(owner=owner))
        return {job.owner for job in (await rpc.jobs.ListJobs(request)).jobs}

    async def watched(rpc: Rpc, owner: str = "") -> set[str]:
        request = WatchJobsRequest(filter=JobFilter(owner=owner), no_follow=True)
        events = [
            event for frame in await frames(rpc.jobs.WatchJobs(request)) for event in frame.events.events
        ]
        return {owner for owner, job_id in jobs.items() for event in events if event.job_id == job_id}

    for seen in (listed, watched):
        assert [await seen(rpc) for rpc in (a, b, both, root)] == [
            {"team-a"},
            {"team-b"},
            {"team-a", "team-b"},
            {"team-a", "team-b", "team-c"},
        ]
        assert [await seen(rpc, "team-b") for rpc in (a, b, both, root)] == [set(), *[{"team-b"}] * 3]


async def test_a_live_feed_is_narrowed(caller: Cast) -> None:
    """A feed that is open shows no later job of another owner either."""
    a, b = await caller("a", ["team-a"], *ALL), await caller("b", ["team-b"], *ALL)
    feed = a.jobs.WatchJobs(WatchJobsRequest())
    async for frame in feed:
        if frame.HasField("caught_up"):
            break
    await b.submit()
    own = await a.submit()
    async for frame in feed:
        if frame.events.events:
            break
    assert [event.job_id for event in frame.events.events] == [own.job_id]
    feed.cancel()


async def test_owner_of_a_submission(caller: Cast) -> None:
    """A job without an owner gets the only owner of its principal; a foreign owner is denied."""
    a, both = await caller("a", ["team-a"], *ALL), await caller("both", ["team-a", "team-b"], *ALL)
    assert (await a.submit()).owner == "team-a"
    assert (await both.submit(owner="team-b")).owner == "team-b"
    assert (await refusal(both.submit()))[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    denied = await refusal(a.submit(owner="team-b"))
    assert denied[:2] == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
    assert denied[3] == {"subject": "a", "action": "submit", "scope": "submit"}


async def test_owner_of_a_child(caller: Cast) -> None:
    """A child without an owner gets that of its parent, which whoever follows the parent may see; a repeat finds it."""
    a, b = await caller("a", ["team-a"], *ALL), await caller("b", ["team-b"], *ALL)
    parent = await a.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    worker, both = await caller("worker", ["*"], *ALL), await caller("both", ["team-a", "team-b"], *ALL)
    child = await worker.submit(parent_job_id=parent.job_id, request_id="child")
    assert child.owner == "team-a"
    assert (await worker.submit(parent_job_id=parent.job_id, request_id="child")).job_id == child.job_id
    assert (await both.submit(parent_job_id=parent.job_id)).owner == "team-a"
    assert (await worker.submit(parent_job_id=parent.job_id, owner="team-b")).owner == "team-b"
    assert (await refusal(b.submit(parent_job_id=parent.job_id)))[1] == "JOB_NOT_FOUND"
    assert (await refusal(worker.submit(parent_job_id="none")))[1] == "JOB_NOT_FOUND"


async def test_request_ids_are_each_owners_own(caller: Cast) -> None:
    """The same request id of another owner is another one."""
    a, b = await caller("a", ["team-a"], *ALL), await caller("b", ["team-b"], *ALL)
    first = await a.submit(request_id="r", kind="k")
    assert (await b.submit(request_id="r", kind="k")).job_id != first.job_id
    assert (await a.submit(request_id="r", kind="k")).job_id == first.job_id


async def test_kinds(caller: Cast) -> None:
    """Kinds narrow what a principal submits and works on."""
    narrow = await caller("narrow", ["team-a"], *ALL, kinds='["transcribe.*"]')
    wide = await caller("wide", ["team-a"], *ALL)
    assert (await narrow.submit(kind="transcribe.audio")).kind == "transcribe.audio"
    assert (await refusal(narrow.submit(kind="other")))[1] == "PERMISSION_DENIED"
    other = await wide.submit(kind="other", dispatch=Dispatch.DISPATCH_EXTERNAL)
    async with narrow.session(kinds=[]) as session:
        await session.send(claim=Claim(job_id=other.job_id))
        rejected = (await session.receive("rejected")).rejected
    assert rejected.reason == ErrorReason.ERROR_REASON_PERMISSION_DENIED
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        async with narrow.session(kinds=["other"]):
            pass
    assert error_info(ended.value).reason == "PERMISSION_DENIED"


async def test_dispatch(caller: Cast) -> None:
    """A worker is assigned jobs of its owners only; it claims, resumes and releases no others."""
    a, b = await caller("a", ["team-a"], *ALL), await caller("b", ["team-b"], *ALL)
    async with a.session(kinds=["k"]) as session:
        foreign = await b.submit(kind="k")
        own = await a.submit(kind="k")
        job, token = await session.take()
        assert job.job_id == own.job_id
        for message in (
            {"claim": Claim(job_id=foreign.job_id)},
            {"resume": Resume(job_id=foreign.job_id, lease_token=token)},
            {"release": Release(job_id=foreign.job_id, lease_token=token)},
            {"report": report(foreign.job_id, token)},
        ):
            await session.send(**message)
            rejected = (await session.receive("rejected")).rejected
            assert rejected.reason == ErrorReason.ERROR_REASON_JOB_NOT_FOUND
        await session.report(own.job_id, token, 1, succeeded())
        await session.receive("acknowledged")
    async with b.session(kinds=["k"]) as session:
        assert (await session.take())[0].job_id == foreign.job_id


async def test_who_cancelled(caller: Cast) -> None:
    """The server authors who requested a cancellation."""
    a = await caller("alice", ["team-a"], *ALL)
    job = await a.submit()
    assert (await a.cancel(job.job_id)).cancellation.requested_by == "alice"


async def test_open_streams_end_with_their_token(caller: Cast, known: Tokens) -> None:
    """Watches, feeds and sessions end with TOKEN_EXPIRED when their token is revoked; those of others go on."""
    gone, stays = await caller("gone", ["team-a"], *ALL), await caller("stays", ["team-a"], *ALL)
    job = await stays.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    watch, feed = gone.watch(job.job_id), gone.jobs.WatchJobs(WatchJobsRequest())
    other = stays.watch(job.job_id)
    for stream in (watch, feed, other):
        await anext(aiter(stream))
    async with gone.session() as session:
        known.remove("gone")
        assert [(await refusal(frames(stream)))[:2] for stream in (watch, feed)] == [
            (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
        ] * 2
        assert (await refusal(session.next()))[:2] == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
    await stays.cancel(job.job_id)
    assert [frame async for frame in other][-1].events.events[-1].HasField("job_ended")


async def test_health_needs_no_token(server: Server) -> None:
    """Orchestrators and load balancers have none."""
    async with connect(server.address) as rpc:
        stub: Any = health_pb2_grpc.HealthStub(rpc.channel)
        response = await stub.Check(health_pb2.HealthCheckRequest())
        assert response.status == health_pb2.HealthCheckResponse.SERVING


def audit(path: Path) -> list[dict[str, Any]]:
    """The lines of an audit log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_audit_log(tmp_path: Path, forkery: Forkery, known: Tokens) -> None:
    """What changes or refuses something leaves a line: who, from where, what, with which outcome, and no secret."""
    path = tmp_path / "audit.jsonl"
    options = ("--tokens", str(known.path), "--audit-log", str(path))
    with ServerProcess(tmp_path / "audited", *options, forkery=forkery) as server:
        async with AsyncExitStack() as stack:
            caller = Cast(server, known, stack)
            a = await caller("a", ["team-a"], *ALL)
            reader = await caller("reader", ["team-b"], "read")
            job = await a.submit(input={"secret": "canary-of-the-input"})
            await a.get(job.job_id)
            await a.cancel(job.job_id)
            await refusal(reader.get(job.job_id))
            await refusal(reader.cancel(job.job_id))
            garbage = tokens.new_token()
            stranger = await stack.enter_async_context(connect(server.address, token=garbage))
            await refusal(stranger.get(job.job_id))
        lines = [
            line for line in audit(path) if line["action"] != "read" or line["outcome"] != "UNAUTHENTICATED"
        ]
        found = [(line["subject"], line["action"], line["job_id"], line["outcome"]) for line in lines]
        text = path.read_text()
        log = json.dumps(server.log())
    assert found == [
        ("a", "submit", job.job_id, "OK"),
        ("a", "cancel", job.job_id, "OK"),
        ("reader", "read", job.job_id, "FOREIGN_JOB"),
        ("reader", "cancel", "", "PERMISSION_DENIED"),
    ]
    assert [line["outcome"] for line in audit(path)].count("UNAUTHENTICATED") >= 1
    assert {line["credential"] for line in lines} == {"a", "reader"}
    assert all(line["peer"].startswith("ipv4:127.0.0.1:") and line["time"] for line in lines)
    secrets = [*known.secrets, garbage, "canary-of-the-input"]
    assert [secret for secret in secrets if secret in text or secret in log] == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["a\nb", 'a" , "outcome": "OK', "\u202e\x1b[31m"])
async def test_log_injection(server: Server, caller: Cast, text: str) -> None:
    """Owners and ids of a request are text within their line, never lines or fields of their own."""
    a = await caller("a", ["team-a"], *ALL)
    await refusal(a.submit(owner=text))
    await refusal(a.get(text))
    await a.submit()
    entries = [
        entry for entry in server.log() if entry.get("event") == "audit" and entry["action"] == "submit"
    ]
    assert [entry["outcome"] for entry in entries] == ["PERMISSION_DENIED", "OK"]
