"""Which job a call is about, when its id changes hands while the server checks the caller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from milepost.server.access.authorize import Action
from milepost.server.access.credentials.credential_settings import CredentialSettings
from milepost.server.access.principal import Principal
from milepost.server.journal import Journal
from milepost.server.runtime.server import Server, Settings
from milepost.server.scheduling.callers import SERVER
from milepost.server.service.job_access import JobAccess
from milepost.v1 import (
    CancelJobRequest,
    DeleteJobRequest,
    Dispatch,
    Job,
    ReportJobRequest,
    RevokeSharesRequest,
    ShareJobRequest,
    WatchJobRequest,
)
from tests.support.rpc import Rpc, connect, succeeded
from tests.support.token_files import Tokens

_SCOPES = ("submit", "read", "work", "cancel", "admin")


async def ended_job(rpc: Rpc, **fields: Any) -> None:
    """A job that has ended."""
    await rpc.submit(**fields)
    async with rpc.session() as session:
        job, token = await session.take()
        await session.report(job.job_id, token, 1, succeeded())
        await session.acknowledged(1)


@pytest.fixture
def known(tmp_path: Path) -> Tokens:
    """The tokens of two owners."""
    tokens = Tokens(tmp_path / "tokens.toml")
    for owner in ("a", "b"):
        tokens.add(owner, [owner], *_SCOPES)
    return tokens


@pytest.fixture
async def server(known: Tokens) -> AsyncIterator[Server]:
    """A server in this process."""
    server = Server(Settings("127.0.0.1:0", None, credentials=CredentialSettings(known.path)))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def _watch(rpc: Rpc) -> None:
    async for _ in rpc.jobs.WatchJob(WatchJobRequest(job_id="nightly", no_follow=True)):
        pass


async def _revoke_shares(rpc: Rpc) -> None:
    await rpc.jobs.RevokeShares(RevokeSharesRequest(job_id="nightly"))


async def _delete(rpc: Rpc) -> None:
    await rpc.jobs.DeleteJob(DeleteJobRequest(job_id="nightly"))


@pytest.mark.parametrize(
    ("call", "action"),
    [(_watch, Action.READ), (_revoke_shares, Action.SHARE), (_delete, Action.DELETE)],
    ids=["watch", "revoke", "delete"],
)
async def test_an_id_that_changes_hands_during_the_check(
    server: Server,
    known: Tokens,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[Rpc], Awaitable[None]],
    action: Action,
) -> None:
    """The caller reaches the job that it named, and nothing of the one of another owner that has the id afterwards."""
    token_a, token_b = known.secrets
    async with connect(server.address, token=token_a) as a, connect(server.address, token=token_b) as b:
        await ended_job(a, job_id="nightly")
        check = JobAccess.check

        async def check_slowly(self: JobAccess, principal: Principal, checked: Action, job_id: str) -> None:
            await check(self, principal, checked, job_id)
            if checked is action:
                monkeypatch.setattr(JobAccess, "check", check)
                await a.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
                await ended_job(b, job_id=job_id, input={"secret": "of b"})

        monkeypatch.setattr(JobAccess, "check", check_slowly)

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(a)
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND
        assert (await b.get("nightly")).input["secret"] == "of b"


async def test_shares_of_a_job_whose_id_changes_hands_after_the_check(
    server: Server, known: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the job and revoking its shares it may be replaced, too: the shares of the later one stay."""
    token_a, token_b = known.secrets
    async with connect(server.address, token=token_a) as a, connect(server.address, token=token_b) as b:
        await ended_job(a, job_id="nightly")
        find = Journal.find
        shares: list[str] = []

        async def find_slowly(self: Journal, job_id: str, *, caller: str = SERVER) -> Job:
            job = await find(self, job_id, caller=caller)
            monkeypatch.setattr(Journal, "find", find)
            await a.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
            await ended_job(b, job_id=job_id)
            shares.append((await b.jobs.ShareJob(ShareJobRequest(job_id=job_id))).token)
            return job

        monkeypatch.setattr(Journal, "find", find_slowly)

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _revoke_shares(a)
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND
        async with connect(server.address, token=shares[0]) as shared:
            assert (await shared.get("nightly")).owner == "b"


async def _submit(rpc: Rpc) -> None:
    await rpc.submit(job_id="nightly", dispatch=Dispatch.DISPATCH_EXTERNAL)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Callable[[Rpc, Rpc], list[Job]]:
    """Has the job of the one be deleted, and the other cancel a job with its id, before the next job is read."""

    def replace(a: Rpc, b: Rpc) -> list[Job]:
        find = Journal.find
        later: list[Job] = []

        async def find_slowly(self: Journal, job_id: str, *, caller: str = SERVER) -> Job:
            monkeypatch.setattr(Journal, "find", find)
            await a.jobs.CancelJob(CancelJobRequest(job_id=job_id))
            await a.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
            await _submit(b)
            later.append((await b.jobs.CancelJob(CancelJobRequest(job_id=job_id, reason="of b"))).job)
            return await find(self, job_id, caller=caller)

        monkeypatch.setattr(Journal, "find", find_slowly)
        return later

    return replace


async def test_a_submission_whose_id_changes_hands(
    server: Server, known: Tokens, replaced: Callable[[Rpc, Rpc], list[Job]]
) -> None:
    """Before it is answered: the answer has nothing of the job of another owner that has the id by then."""
    token_a, token_b = known.secrets
    async with connect(server.address, token=token_a) as a, connect(server.address, token=token_b) as b:
        later = replaced(a, b)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _submit(a)

        assert refused.value.code() == grpc.StatusCode.NOT_FOUND
        assert [job.owner for job in later] == ["b"]


async def test_a_report_whose_id_changes_hands(
    server: Server, known: Tokens, replaced: Callable[[Rpc, Rpc], list[Job]]
) -> None:
    """Before it is answered: it was taken, and the answer has nothing of the cancellation of the later job."""
    token_a, token_b = known.secrets
    async with connect(server.address, token=token_a) as a, connect(server.address, token=token_b) as b:
        await a.submit(job_id="nightly")
        async with a.session() as session:
            _, lease = await session.take()
            later = replaced(a, b)
            report = ReportJobRequest(
                job_id="nightly", lease_token=lease, first_report_sequence=1, updates=[succeeded()]
            )
            answer = await a.workers.ReportJob(report)

        assert (answer.report_sequence, answer.HasField("cancellation")) == (1, False)
        assert [job.cancellation.reason for job in later] == ["of b"]
