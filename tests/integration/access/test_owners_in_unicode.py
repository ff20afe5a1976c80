"""Owners whose names look the same: each is its own, everywhere, since no name is changed on its way."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from milepost.server.access.credentials import token_file, tokens
from milepost.v1 import GetHistoryRequest, JobFilter, JobState, ListJobsRequest, WatchJobsRequest
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.http_calls import bearer
from tests.support.http_watch import http_client
from tests.support.principals import ALL, refusal
from tests.support.rpc import Rpc, connect, succeeded
from tests.support.server import ServerProcess

# Composed, decomposed, and two that normal forms of compatibility (NFKC) or lower case would make one of them.
NAMES: Final = ("caf\u00e9", "cafe\u0301", "Caf\u00e9", "\uff43af\u00e9")


async def created(path: Path, owner: str, *options: str) -> str:
    """Create a token by the command, whose subject is the owner's name; return it."""
    arguments = ("--tokens", str(path), "--subject", owner, "--owner", owner, *options)
    outcome = await milepost("token", "create", *arguments)
    assert outcome.status == 0, outcome.err
    return outcome.out.strip()


async def seen(rpc: Rpc, owner: str) -> list[str]:
    """The jobs that a list, and a watch of many jobs, show for an owner."""
    listed = await rpc.jobs.ListJobs(ListJobsRequest(filter=JobFilter(owner=owner)))
    watch = rpc.jobs.WatchJobs(WatchJobsRequest(filter=JobFilter(owner=owner), no_follow=True))
    watched = {event.job_id async for frame in watch for event in frame.events.events}
    found = [job.job_id for job in listed.jobs]
    assert watched == set(found)
    return found


async def runs(rpc: Rpc, owner: str) -> int:
    """How many runs the history of a kind of an owner has."""
    return int((await rpc.jobs.GetHistory(GetHistoryRequest(kind="k", owner=owner))).runs)


async def test_names_that_look_the_same(tmp_path: Path, forkery: Forkery) -> None:
    """In tokens, submissions, request ids, lists, watches, histories, over HTTP, and in the audit log; also later."""
    path, audit, data = tmp_path / "tokens.toml", tmp_path / "audit.jsonl", tmp_path / "data"
    secrets = {name: await created(path, name, "--scope", ",".join(ALL)) for name in NAMES}
    operator = await created(path, "*", "--scope", "admin")
    entries = token_file.parse(path.read_text(encoding="utf-8"))
    for name, secret in secrets.items():
        assert entries[tokens.digest(secret)].principal.owners == frozenset({name})
    options = ("--tokens", str(path), "--audit-log", str(audit))
    jobs: dict[str, str] = {}

    async def check(server: ServerProcess, rpcs: dict[str, Rpc], admin: Rpc) -> None:
        async with http_client(server.url) as http:
            for name, rpc in rpcs.items():
                assert await seen(rpc, "") == await seen(admin, name) == [jobs[name]]
                answer = await http.get("/v1/jobs", params={"filter.owner": name}, headers=bearer(operator))
                assert [job["jobId"] for job in answer.json()["jobs"]] == [jobs[name]]
                for other in set(NAMES) - {name}:
                    assert (await refusal(rpc.get(jobs[other])))[1] == "JOB_NOT_FOUND"
                    assert await seen(rpc, other) == []

    for start in range(2):
        with ServerProcess(data, *options, forkery=forkery, http=True) as server:
            async with AsyncExitStack() as stack:
                rpcs = {
                    name: await stack.enter_async_context(connect(server.address, token=secret))
                    for name, secret in secrets.items()
                }
                admin = await stack.enter_async_context(connect(server.address, token=operator))
                if not start:
                    for name, rpc in rpcs.items():
                        other = NAMES[NAMES.index(name) - 1]
                        assert (await refusal(rpc.submit(owner=other)))[1] == "PERMISSION_DENIED"
                        jobs[name] = (await rpc.submit(kind="k", request_id="r")).job_id
                    await work(rpcs[NAMES[0]], jobs[NAMES[0]])
                assert len(set(jobs.values())) == len(NAMES)
                await check(server, rpcs, admin)
                assert [await runs(admin, name) for name in NAMES] == [1, 0, 0, 0]
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    submitted = {
        line["subject"]: line["job_id"]
        for line in lines
        if (line["action"], line["outcome"]) == ("submit", "OK")
    }
    assert submitted == jobs


async def work(rpc: Rpc, job_id: str) -> None:
    """Take the only job that this owner's worker gets, and end it."""
    async with rpc.session(kinds=["k"]) as session:
        job, lease = await session.take()
        assert job.job_id == job_id
        await session.report(job_id, lease, 1, succeeded())
        await session.acknowledged(1)
    assert (await rpc.get(job_id)).state == JobState.JOB_STATE_SUCCEEDED
