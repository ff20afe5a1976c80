"""A worker whose token ends in the middle of its session, message by message: who may resume its jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from milepost.v1 import ReportJobRequest, Resume
from tests.support.forking import Forkery
from tests.support.principals import ALL, refusal
from tests.support.rpc import Rpc, WorkSession, connect, log_line, state_name, succeeded
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens

ENDS: Final = {"removed": "UNAUTHENTICATED", "revoked": "TOKEN_EXPIRED", "expired": "TOKEN_EXPIRED"}
"""How a token ends, and the reason with which the server refuses it from then on."""


@pytest.fixture
def known(tmp_path: Path) -> Tokens:
    """The tokens that the server knows: that of a submitter, and two of each worker."""
    found = Tokens(tmp_path / "tokens.toml")
    found.add("submitter", ["team-a"], *ALL)
    for name in ENDS:
        found.add(f"{name}-1", ["team-a"], *ALL)
        found.add(f"{name}-2", ["team-a"], *ALL)
    return found


@pytest.fixture
async def callers(tmp_path: Path, forkery: Forkery, known: Tokens) -> AsyncIterator[dict[str, Rpc]]:
    """The callers of a server with these tokens, by their names."""
    options = ("--tokens", str(known.path))
    async with AsyncExitStack() as stack:
        server = stack.enter_context(ServerProcess(tmp_path / "data", *options, forkery=forkery))
        yield {
            name: await stack.enter_async_context(connect(server.address, token=secret))
            for name, secret in zip(known.entries, known.secrets, strict=True)
        }


async def refusals(rpc: Rpc, job_id: str, lease: str) -> set[tuple[grpc.StatusCode, str]]:
    """How a new session, and a report outside of one, are refused.

    The session is refused before its first message; grpc.aio would lose the status if it were just being written.
    """
    report = ReportJobRequest(
        job_id=job_id, lease_token=lease, first_report_sequence=3, updates=[log_line("3")]
    )
    calls: list[Awaitable[Any]] = [rpc.workers.Work().read(), rpc.workers.ReportJob(report)]
    return {(await refusal(call))[:2] for call in calls}


async def test_resume(callers: dict[str, Rpc], known: Tokens) -> None:
    """With the ended token not even the lease helps; with another one of its owner the job and its reports go on."""
    submitter = callers["submitter"]
    taken: dict[str, tuple[WorkSession, str, str]] = {}
    async with AsyncExitStack() as stack:
        for name in ENDS:
            session = await stack.enter_async_context(callers[f"{name}-1"].session(kinds=[name]))
            job_id = (await submitter.submit(kind=name)).job_id
            _, lease = await session.take()
            await session.report(job_id, lease, 1, log_line("1"), log_line("2"))
            await session.acknowledged(2)
            taken[name] = session, job_id, lease
        del known.entries["removed-1"]
        known.entries["revoked-1"] += "revoked = true\n"
        known.entries["expired-1"] += "expires = 2020-01-01\n"
        known.write()
        for session, _, _ in taken.values():
            ended = await refusal(session.next())
            assert ended[:2] == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
    for name, (_, job_id, lease) in taken.items():
        for _ in range(2):
            refused = await refusals(callers[f"{name}-1"], job_id, lease)
            assert refused == {(grpc.StatusCode.UNAUTHENTICATED, ENDS[name])}
        assert state_name(await submitter.get(job_id)) == "RUNNING"
        await resume(callers[f"{name}-2"], job_id, lease)
        events = await submitter.log(job_id)
        lines = [event.log_written.text for event in events if event.HasField("log_written")]
        job = await submitter.get(job_id)
        assert (lines, state_name(job), job.attempt) == (["1", "2", "3"], "SUCCEEDED", 1)


async def resume(rpc: Rpc, job_id: str, lease: str) -> None:
    """Go on with a job whose second report is acknowledged, as far as the worker knows, by nobody."""
    async with rpc.session(kinds=["none"]) as session:
        await session.send(resume=Resume(job_id=job_id, lease_token=lease))
        assert (await session.receive("resumed")).resumed.acknowledged_report_sequence == 2
        await session.report(job_id, lease, 2, log_line("2"), log_line("3"))
        await session.report(job_id, lease, 4, succeeded())
        await session.acknowledged(4)
