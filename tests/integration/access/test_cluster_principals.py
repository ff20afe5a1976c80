"""Principals at two nodes on one log: credentials, shares and limits."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import grpc.aio
import pytest

from milepost.v1 import RevokeSharesRequest, ShareJobRequest, WhoAmIRequest
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.issuer import Issuer
from tests.support.nats import NatsServer
from tests.support.nodes import Nodes
from tests.support.principals import ALL
from tests.support.refused import Refused, refused
from tests.support.replacing import replace
from tests.support.rpc import Rpc, WatchCall, connect, eventually
from tests.support.token_files import Tokens


@pytest.fixture
def issuer(issuer: Issuer, tmp_path: Path) -> Issuer:
    """The issuer that both nodes trust, with its key in a file."""
    replace(tmp_path / "jwks.json", issuer.key_set())
    return issuer


@pytest.fixture
def tokens(known: Tokens) -> dict[str, str]:
    """A token of each of two owners, and one with limits of its own."""
    return {
        "alice": known.add("alice", ["team-a"], *ALL),
        "bob": known.add("bob", ["team-b"], *ALL),
        "slow": known.add("slow", ["team-a"], *ALL, limits='["requests=1/s"]'),
        "small": known.add("small", ["team-a"], *ALL, limits='["jobs=2", "watches=1", "input=2000"]'),
    }


@pytest.fixture
def nodes(
    tmp_path: Path,
    forkery: Forkery,
    nats_server: NatsServer,
    known: Tokens,
    issuer: Issuer,
    tokens: dict[str, str],
) -> Iterator[Nodes]:
    """Two nodes with the same token file and issuer."""
    options = (
        *("--tokens", str(known.path), "--jwt-issuer", issuer.url, "--jwt-audience", "milepost"),
        *("--jwt-jwks", str(tmp_path / "jwks.json")),
    )
    stream = f"test-{uuid.uuid4().hex[:12]}"
    with Nodes(tmp_path, [nats_server.url] * 2, *options, stream=stream, forkery=forkery) as started:
        yield started


class Callers:
    """Connects to both nodes as somebody."""

    def __init__(self, nodes: Nodes, tokens: dict[str, str], stack: AsyncExitStack) -> None:
        self._nodes, self._tokens, self._stack = nodes, tokens, stack

    async def __call__(self, who: str) -> Sequence[Rpc]:
        """A channel to each node, with the token of somebody known, or with this token."""
        token = self._tokens.get(who, who)
        return [
            await self._stack.enter_async_context(connect(server.address, token=token))
            for server in self._nodes.servers
        ]


@pytest.fixture
async def callers(nodes: Nodes, tokens: dict[str, str]) -> AsyncIterator[Callers]:
    """Connects to both nodes as somebody."""
    async with AsyncExitStack() as stack:
        yield Callers(nodes, tokens, stack)


async def watching(rpc: Rpc, job_id: str) -> WatchCall:
    """An open watch."""
    call = rpc.watch(job_id)
    await call.read()
    return call


async def ended(call: WatchCall) -> str:
    """Why a watch is ended by its server."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        async for _ in call:
            pass
    return Refused.of(error.value).reason


async def test_a_job_belongs_to_its_owner_at_each_node(callers: Callers) -> None:
    """Wherever it was submitted, its owner reads it at the other node, and for others it exists at neither."""
    (first, second), others = await callers("alice"), await callers("bob")
    job = await first.submit()
    assert (await second.get(job.job_id)).owner == "team-a"
    assert [(await refused(other.get(job.job_id))).reason for other in others] == ["JOB_NOT_FOUND"] * 2


async def test_a_revoked_token_ends_at_each_node(callers: Callers, known: Tokens) -> None:
    """Its open streams, and further calls; it is revoked once, in the file that they share."""
    rpcs = await callers("alice")
    job = await rpcs[0].submit()
    watches = [await watching(rpc, job.job_id) for rpc in rpcs]
    assert (await milepost("token", "revoke", "alice", "--tokens", str(known.path))).status == 0
    assert [await ended(watch) for watch in watches] == ["TOKEN_EXPIRED"] * 2
    assert [(await refused(rpc.get(job.job_id))).reason for rpc in rpcs] == ["TOKEN_EXPIRED"] * 2


async def test_a_withdrawn_key_ends_its_tokens_at_each_node(
    callers: Callers, issuer: Issuer, tmp_path: Path
) -> None:
    """One token is good at both nodes; once its key is withdrawn, at neither, and one of the new key is."""
    rpcs = await callers(issuer.token("one"))
    job = await rpcs[0].submit()
    watches = [await watching(rpc, job.job_id) for rpc in rpcs]
    issuer.add_key("two")
    issuer.withdraw_key("one")
    replace(tmp_path / "jwks.json", issuer.key_set())
    assert [await ended(watch) for watch in watches] == ["TOKEN_EXPIRED"] * 2
    renewed = await callers(issuer.token("two"))
    assert [(await rpc.get(job.job_id)).job_id for rpc in renewed] == [job.job_id] * 2


async def test_a_share_of_one_node_at_another(callers: Callers) -> None:
    """It is accepted there at once, and revoked there also for the node that has issued it."""
    first, second = await callers("alice")
    job = await first.submit()
    token = (await first.jobs.ShareJob(ShareJobRequest(job_id=job.job_id))).token
    guests = await callers(token)
    assert (await guests[1].get(job.job_id)).job_id == job.job_id
    watches = [await watching(guest, job.job_id) for guest in guests]
    await second.jobs.RevokeShares(RevokeSharesRequest(job_id=job.job_id))
    assert [await ended(watch) for watch in watches] == ["TOKEN_EXPIRED"] * 2
    assert [(await refused(guest.get(job.job_id))).reason for guest in guests] == ["TOKEN_EXPIRED"] * 2
    assert (await first.get(job.job_id)).job_id == job.job_id


async def used(rpc: Rpc, name: str) -> int:
    """What a principal uses of a limit, as the node says."""
    limits = (await rpc.jobs.WhoAmI(WhoAmIRequest())).limits
    (found,) = [limit for limit in limits if limit.name == name]
    return found.used


async def test_unfinished_jobs_count_at_all_nodes(callers: Callers) -> None:
    """They are limited in total: a job that another node took counts as soon as this one has read it."""
    first, second = await callers("small")
    jobs = [await first.submit(), await second.submit()]
    for rpc in (first, second):

        async def has_both(rpc: Rpc = rpc) -> bool:
            return await used(rpc, "jobs") == 2

        await eventually(has_both)
        refusal = await refused(rpc.submit())
        assert (refusal.reason, refusal.metadata) == ("LIMIT_REACHED", {"limit": "max-jobs-per-principal"})
    await second.cancel(jobs[0].job_id)

    async def has_one() -> bool:
        return await used(first, "jobs") == 1

    await eventually(has_one)
    await first.submit()


async def test_watches_count_at_their_node(callers: Callers) -> None:
    """They are limited at each node, since each node holds only its own."""
    rpcs = await callers("small")
    job = await rpcs[0].submit()
    watches = [await watching(rpc, job.job_id) for rpc in rpcs]
    assert [await used(rpc, "watches") for rpc in rpcs] == [1, 1]
    refusals = [await refused(rpc.watch(job.job_id).read()) for rpc in rpcs]
    assert [refusal.reason for refusal in refusals] == ["LIMIT_REACHED"] * 2
    for watch in watches:
        watch.cancel()


@pytest.mark.nightly  # it takes as long as the refusals are late
async def test_calls_count_at_their_node(callers: Callers) -> None:
    """A principal beyond its rate at one node is served by another one."""
    first, second = await callers("slow")
    answers = await asyncio.gather(*(first.get("none") for _ in range(15)), return_exceptions=True)
    reasons = [Refused.of(answer).reason for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert set(reasons) == {"JOB_NOT_FOUND", "LIMIT_REACHED"}
    assert (await refused(second.get("none"))).reason == "JOB_NOT_FOUND"
