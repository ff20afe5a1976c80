"""Shares of jobs, at a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.client import Client
from milepost.server.access.credentials import tokens
from milepost.v1 import (
    DeleteJobRequest,
    JobFilter,
    ListJobsRequest,
    RevokeSharesRequest,
    ShareJobRequest,
    WatchJobsRequest,
)
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.rpc import Rpc, connect, error_info, kinds
from tests.support.server import ServerProcess

TOKENS = {subject: tokens.new_token() for subject in ("alice", "reader", "bob")}
RIGHTS = {
    "alice": ("team-a", ["submit", "read", "cancel", "work"]),
    "reader": ("team-a", ["read"]),
    "bob": ("team-b", ["submit", "read", "cancel"]),
}


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server that knows three people."""
    path = tmp_path / "tokens.toml"
    path.write_text(
        "".join(
            f'[[token]]\nid = "{subject}"\nsha256 = "{tokens.digest(token)}"\nsubject = "{subject}"\n'
            f"owners = {[RIGHTS[subject][0]]}\nscopes = {RIGHTS[subject][1]}\n"
            for subject, token in TOKENS.items()
        )
    )
    with ServerProcess(tmp_path / "data", "--tokens", str(path), forkery=forkery) as started:
        yield started


def caller(server: ServerProcess, who: str) -> AbstractAsyncContextManager[Rpc]:
    """Connect as somebody known, or with a token."""
    return connect(server.address, token=TOKENS.get(who, who))


async def share(rpc: Rpc, job_id: str, *scopes: str, seconds: int = 60) -> str:
    """Share a job; return the token."""
    request = ShareJobRequest(job_id=job_id, scopes=scopes, ttl=Duration(seconds=seconds))
    return (await rpc.jobs.ShareJob(request)).token


async def test_one_job_and_its_children(server: ServerProcess) -> None:
    """The bearer reads the job and its children; no other job exists, and lists and feeds are narrowed to them."""
    async with caller(server, "alice") as alice:
        job, other = await alice.submit(), await alice.submit()
        child = await alice.submit(parent_job_id=job.job_id)
        async with caller(server, await share(alice, job.job_id)) as guest:
            assert [(await guest.get(each.job_id)).job_id for each in (job, child)] == [
                job.job_id,
                child.job_id,
            ]
            assert kinds(await guest.log(job.job_id)) == ["job_submitted"]
            assert (await refused(guest.get(other.job_id))).reason == "JOB_NOT_FOUND"
            assert (await refused(guest.log(other.job_id))).reason == "JOB_NOT_FOUND"
            listed = (await guest.jobs.ListJobs(ListJobsRequest())).jobs
            assert {each.job_id for each in listed} == {job.job_id, child.job_id}
            request = WatchJobsRequest(no_follow=True, filter=JobFilter(job_ids=[other.job_id]))
            frames = [frame async for frame in guest.jobs.WatchJobs(request)]
            assert [event for frame in frames for event in frame.events.events] == []
            found = {
                "cancel": await refused(guest.cancel(job.job_id)),
                "submit": await refused(guest.submit(parent_job_id=job.job_id)),
                "delete": await refused(guest.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))),
                "share": await refused(share(guest, job.job_id)),
                "revoke": await refused(guest.jobs.RevokeShares(RevokeSharesRequest(job_id=job.job_id))),
            }
            assert {name: refusal.reason for name, refusal in found.items()} == dict.fromkeys(
                found, "PERMISSION_DENIED"
            )


async def test_a_share_that_may_cancel(server: ServerProcess) -> None:
    """It cancels that job, in the name of who shared it, and no other; who may not cancel cannot give that away."""
    async with caller(server, "alice") as alice, caller(server, "reader") as reader:
        job, other = await alice.submit(), await alice.submit()
        async with caller(server, await share(alice, job.job_id, "cancel")) as guest:
            assert (await refused(guest.cancel(other.job_id))).reason == "JOB_NOT_FOUND"
            assert (await guest.cancel(job.job_id)).cancellation.requested_by == "alice"
        assert await share(reader, other.job_id)
        assert (await refused(share(reader, other.job_id, "read", "cancel"))).reason == "PERMISSION_DENIED"


async def test_foreign_jobs(server: ServerProcess) -> None:
    """A job of another owner can neither be shared nor have its shares revoked: it does not exist."""
    async with caller(server, "alice") as alice, caller(server, "bob") as bob:
        job = await alice.submit()
        for job_id in (job.job_id, "missing"):
            assert (await refused(share(bob, job_id))).reason == "JOB_NOT_FOUND"
            revoking = bob.jobs.RevokeShares(RevokeSharesRequest(job_id=job_id))
            assert (await refused(revoking)).reason == "JOB_NOT_FOUND"


async def test_revocation(server: ServerProcess) -> None:
    """It ends open streams and refuses calls, of this job's shares only; also after its end, and after a restart."""
    async with caller(server, "alice") as alice:
        job, other = await alice.submit(), await alice.submit()
        token, kept = await share(alice, job.job_id), await share(alice, other.job_id)
        async with caller(server, token) as guest, caller(server, kept) as second:
            frames = aiter(guest.watch(job.job_id))
            await anext(frames)
            await alice.jobs.RevokeShares(RevokeSharesRequest(job_id=job.job_id))
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                [frame async for frame in frames]
            assert error_info(ended.value).reason == "TOKEN_EXPIRED"
            assert (await refused(guest.get(job.job_id))).reason == "TOKEN_EXPIRED"
            assert (await second.get(other.job_id)).job_id == other.job_id
        await alice.cancel(job.job_id)
        ended_token = await share(alice, job.job_id)
        server.kill()
        server.restart()
    async with caller(server, "alice") as alice, caller(server, ended_token) as guest:
        assert (await guest.get(job.job_id)).job_id == job.job_id
        async with caller(server, token) as before:
            assert (await refused(before.get(job.job_id))).reason == "TOKEN_EXPIRED"
        await alice.jobs.RevokeShares(RevokeSharesRequest(job_id=job.job_id))
        assert (await refused(guest.get(job.job_id))).reason == "TOKEN_EXPIRED"


async def test_expiry_in_an_open_stream(server: ServerProcess) -> None:
    """A stream ends when the share does."""
    async with caller(server, "alice") as alice:
        job = await alice.submit()
        async with caller(server, await share(alice, job.job_id, seconds=2)) as guest:
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                [frame async for frame in guest.watch(job.job_id)]
            assert error_info(ended.value).reason == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (ShareJobRequest(job_id="j", ttl=Duration(seconds=604_801)), ("ttl",)),
        (ShareJobRequest(job_id="j", ttl=Duration()), ("ttl",)),
        (ShareJobRequest(job_id="j", scopes=["work"]), ("scopes[0]",)),
        (ShareJobRequest(job_id="j", scopes=["read", "admin"]), ("scopes[1]",)),
        (ShareJobRequest(job_id=""), ("job_id",)),
    ],
)
async def test_bounds(server: ServerProcess, request_: ShareJobRequest, fields: tuple[str, ...]) -> None:
    """A share is for reading, at most for cancelling, and for seven days at most."""
    async with caller(server, "alice") as alice:
        refusal = await refused(alice.jobs.ShareJob(request_))
        assert (refusal.reason, refusal.fields) == ("INVALID_FIELD", fields)


async def test_no_secret_in_the_log(server: ServerProcess) -> None:
    """Neither the log nor the audit lines have a token; who shared and who used it can be told apart."""
    async with caller(server, "alice") as alice:
        job = await alice.submit()
        token = await share(alice, job.job_id)
        async with caller(server, token) as guest:
            await refused(guest.cancel(job.job_id))
    text = server.log_path.read_text()
    assert token not in text
    assert token[4:40] not in text
    lines = [line for line in server.log() if line["event"] == "audit" and line["job_id"] == job.job_id]
    assert [(line["action"], line["credential"].partition(":")[0]) for line in lines][1:] == [
        ("share", "alice")
    ]


async def test_command_and_sdk(server: ServerProcess) -> None:
    """`milepost share` prints the token alone, so that it can be passed on; `Client.share` returns it."""
    alice = {"MILEPOST_TOKEN": TOKENS["alice"], "MILEPOST_ADDRESS": server.address}
    async with Client(server.address, token=TOKENS["alice"]) as client:
        job = await client.submit("kind")
        made = await milepost("share", job.job_id, "--for", "1h", "--cancel", env=alice)
        assert (made.status, made.err[:12]) == (0, "Valid until ")
        async with Client(server.address, token=made.out.strip()) as guest:
            assert (await guest.get(job.job_id)).job_id == job.job_id
        as_json = await milepost("share", job.job_id, "--output", "json", env=alice)
        assert json.loads(as_json.out)["token"].startswith("mps_")
        assert (await client.share(job.job_id, ttl=5)).token.startswith("mps_")
        assert (await milepost("share", job.job_id, "--revoke", env=alice)).status == 0
        again = await milepost("get", job.job_id, env={**alice, "MILEPOST_TOKEN": made.out.strip()})
        assert again.status != 0
        assert "revoked" in again.err
        linked = await milepost(
            "share", job.job_id, "--link", "https://jobs.example.com/milepost/", env=alice
        )
        page, _, token = linked.out.strip().partition("#token=")
        assert page == f"https://jobs.example.com/milepost/jobs/{job.job_id}"
        async with Client(server.address, token=token) as guest:
            assert (await guest.get(job.job_id)).job_id == job.job_id
        both = await milepost(
            "share", job.job_id, "--link", "https://jobs.example.com", "--output", "json", env=alice
        )
        fields = json.loads(both.out)
        assert fields["link"] == f"https://jobs.example.com/jobs/{job.job_id}#token={fields['token']}"
        for link in ("jobs.example.com", "https://jobs.example.com/?a=1", "https://jobs.example.com/#jobs"):
            mistaken = await milepost("share", job.job_id, "--link", link, env=alice)
            assert "--link takes the address of the pages" in mistaken.err
        mistaken = await milepost("share", job.job_id, "--revoke", "--cancel", env=alice)
        assert "--revoke makes no token" in mistaken.err


async def test_the_command_warns_where_a_share_restricts_nobody(shared_server: ServerProcess) -> None:
    """Without credentials everyone may do everything, with the token or without it."""
    async with Client(shared_server.address) as client:
        job = await client.submit("kind")
    made = await milepost("share", job.job_id, address=shared_server.address)
    assert (made.status, made.out[:4]) == (0, "mps_")
    assert made.err.startswith("Warning: this server takes no credentials, so the token restricts nobody: ")
