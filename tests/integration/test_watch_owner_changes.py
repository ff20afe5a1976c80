"""Whose job a watch shows, when its id changes hands while the server checks the caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest

from milepost.server.access.authorize import Action
from milepost.server.access.credential_settings import CredentialSettings
from milepost.server.access.principal import Principal
from milepost.server.runtime.server import Server, Settings
from milepost.server.service.job_access import JobAccess
from milepost.v1 import DeleteJobRequest, WatchJobRequest
from tests.support.rpc import connect, succeeded
from tests.support.token_files import Tokens

_SCOPES = ("submit", "read", "work", "cancel", "admin")


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


async def test_an_id_that_changes_hands_during_the_check(
    server: Server, known: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller may read the job that it named, and nothing of the one of another owner that has the id afterwards."""
    token_a, token_b = known.secrets
    async with connect(server.address, token=token_a) as a, connect(server.address, token=token_b) as b:
        await a.submit(job_id="nightly", kind="k")
        async with a.session(kinds=["k"]) as session:
            _, token = await session.take()
            await session.report("nightly", token, 1, succeeded())
            await session.acknowledged(1)
        check = JobAccess.check

        async def check_slowly(self: JobAccess, principal: Principal, action: Action, job_id: str) -> None:
            await check(self, principal, action, job_id)
            if action is Action.READ:
                await a.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
                await b.submit(job_id=job_id, kind="k", input={"secret": "of b"})

        monkeypatch.setattr(JobAccess, "check", check_slowly)

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            async for _ in a.jobs.WatchJob(WatchJobRequest(job_id="nightly", no_follow=True)):
                pass

    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
