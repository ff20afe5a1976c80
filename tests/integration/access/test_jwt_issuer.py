"""JSON Web Tokens at a real server, whose issuer's keys are at a URL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import grpc.aio
import pytest

from milepost.v1 import GetHistoryRequest, ListJobsRequest
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.issuer import Issuer
from tests.support.rpc import Rpc, connect, error_info
from tests.support.server import Server, ServerProcess


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, issuer: Issuer) -> Iterator[Server]:
    """A server that accepts the issuer's tokens."""
    options = ("--jwt-issuer", issuer.url, "--jwt-audience", "milepost", "--jwt-jwks", f"{issuer.url}/jwks")
    with ServerProcess(tmp_path / "data", *options, forkery=forkery) as started:
        yield started


async def test_a_token_of_the_issuer(server: Server, issuer: Issuer) -> None:
    """It makes a principal: its owner, and who cancelled."""
    async with connect(server.address, token=issuer.token("one")) as rpc:
        job = await rpc.submit()
        assert job.owner == "team-a"
        assert (await rpc.cancel(job.job_id)).cancellation.requested_by == "alice"


async def test_a_token_without_owners(server: Server, issuer: Issuer) -> None:
    """It may not submit or work, and no job exists for it."""
    async with connect(server.address, token=issuer.token("one", owners=None, scope="admin")) as rpc:
        with pytest.raises(grpc.aio.AioRpcError) as submitted:
            await rpc.submit()
        with pytest.raises(grpc.aio.AioRpcError) as worked:
            async with rpc.session():
                pass
        assert list((await rpc.jobs.ListJobs(ListJobsRequest())).jobs) == []
    async with connect(server.address, token=issuer.token("one", owners=None, scope="read")) as rpc:
        with pytest.raises(grpc.aio.AioRpcError) as read:
            await rpc.jobs.GetHistory(GetHistoryRequest(kind="k"))
    assert [
        (error_info(refused.value).reason, error_info(refused.value).metadata["action"])
        for refused in (submitted, worked, read)
    ] == [("PERMISSION_DENIED", action) for action in ("submit", "work", "read")]
    assert read.value.details() == "'alice' may not read: its credential names no owner."


async def test_a_new_key_while_the_server_runs(server: Server, issuer: Issuer) -> None:
    """The first token with a new key makes the server fetch the keys; the older key stays in force."""
    issuer.add_key("two")
    for key_id in ("two", "one"):
        async with connect(server.address, token=issuer.token(key_id)) as rpc:
            await rpc.jobs.ListJobs(ListJobsRequest())


async def test_the_issuer_is_down(server: Server, issuer: Issuer) -> None:
    """Known keys stay in force, and an unknown key is refused soon."""
    issuer.is_up = False
    issuer.add_key("two")
    async with connect(server.address, token=issuer.token("one")) as rpc:
        await rpc.jobs.ListJobs(ListJobsRequest())
    async with connect(server.address, token=issuer.token("two")) as rpc:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await rpc.jobs.ListJobs(ListJobsRequest())
    assert error_info(refused.value).reason == "UNAUTHENTICATED"


async def test_open_streams_end_with_their_token(server: Server, issuer: Issuer) -> None:
    """A watch ends with TOKEN_EXPIRED when its token expires, a leeway of 30 s later."""
    async with connect(server.address, token=issuer.token("one")) as rpc:
        job = await rpc.submit()
    opened = False

    async def watch(rpc: Rpc) -> None:
        nonlocal opened
        async for _ in rpc.watch(job.job_id):
            opened = True

    while not opened:  # a busy machine may take longer to open a watch than its token lasts
        async with connect(server.address, token=issuer.token("one", exp=time.time() - 29)) as rpc:
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await watch(rpc)
        assert error_info(ended.value).reason == "TOKEN_EXPIRED"


async def test_options_go_together() -> None:
    """An issuer without keys would let nobody in."""
    outcome = await milepost("serve", "--jwt-issuer", "https://id.test")
    assert outcome.status == 2
    assert "--jwt-issuer, --jwt-audience and --jwt-jwks go together." in outcome.err


async def test_keys_over_plain_http() -> None:
    """Whoever sits in between could replace the keys."""
    options = (
        "--jwt-issuer",
        "https://id.test",
        "--jwt-audience",
        "m",
        "--jwt-jwks",
        "http://192.0.2.1/jwks",
    )
    outcome = await milepost("serve", *options)
    assert outcome.status == 2
    assert "whoever sits in between could replace the keys" in outcome.err
