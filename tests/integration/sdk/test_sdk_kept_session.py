"""One session for many attached blocks: what they share, and what one cannot do to another."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milepost.client import Client
from milepost.client._attach import AttachCalls, Attached, KeptSession
from milepost.client._job_calls import JobCalls
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.target import Target
from milepost.client.errors import JobEndedError, LeaseLost, Unreachable
from milepost.v1 import Dispatch, Job
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually, state_name
from tests.support.server import Server

TIMEOUT = 120.0


class Blocks:
    """Blocks of one process, which share its session."""

    def __init__(self, address: str, timeout: float = TIMEOUT, *, capacity: int = 4) -> None:
        self.address = address
        self.worker_id = str(uuid.uuid4())
        self._channel = LazyChannel(Target.of(address))
        self._calls = JobCalls(self._channel, timeout)
        self._attach = AttachCalls(self._channel, self._calls, timeout)
        self.session = KeptSession(self._channel, self.worker_id, timeout, capacity)

    def attach(self, job_id: str, *, instance: str = "", wait: float | None = None) -> Attached:
        """A block for this job."""

        async def find() -> str:
            return job_id

        return self._attach.attach_found(
            find, Job(job_id=job_id), kept=lambda: self.session, instance=instance, wait=wait
        )

    async def close(self) -> None:
        """End the session, and the connection."""
        await self.session.close(TIMEOUT)
        await self._channel.close()


@pytest.fixture
async def blocks(shared_server: Server) -> AsyncIterator[Blocks]:
    """Blocks on the shared server."""
    opened = Blocks(shared_server.address)
    yield opened
    await opened.close()


async def external(client: Client) -> str:
    """Submit an external job; return its id."""
    return (await client.submit("step", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id


async def sessions_of(client: Client, worker_id: str) -> list[str]:
    """The sessions of a worker."""
    return [worker.session_id async for worker in client.workers() if worker.worker_id == worker_id]


async def state_of(client: Client, job_id: str) -> str:
    """The state of a job."""
    return state_name((await client.get(job_id)).proto)


async def test_blocks_share_one_session(client: Client, blocks: Blocks) -> None:
    """One after another, and at once; each ends its own job."""
    one, two, three = [await external(client) for _ in range(3)]
    async with blocks.attach(one):
        (before,) = await sessions_of(client, blocks.worker_id)
    async with blocks.attach(two):
        async with blocks.attach(three) as inner:
            inner.result = {"pages": 3}
        assert await sessions_of(client, blocks.worker_id) == [before]

    assert [await state_of(client, job_id) for job_id in (one, two, three)] == ["SUCCEEDED"] * 3
    assert dict((await client.get(three)).proto.result.items()) == {"pages": 3}


async def test_a_session_announces_as_many_blocks_as_it_has_had_at_once(
    shared_server: Server, client: Client
) -> None:
    """Whatever its process expected, operators do not see more jobs than it takes; also after it has reconnected."""
    proxy = CuttableProxy(shared_server.address)
    blocks = Blocks(proxy.address, capacity=1)
    one, two, three = [await external(client) for _ in range(3)]

    async def capacity() -> list[int]:
        return [
            worker.max_concurrency
            async for worker in client.workers()
            if worker.worker_id == blocks.worker_id
        ]

    async def is_two() -> bool:
        return await capacity() == [2]

    with proxy:
        async with blocks.attach(one):
            assert await capacity() == [1]
            async with blocks.attach(two):
                await eventually(is_two)
        proxy.cut()
        async with blocks.attach(three):
            await eventually(is_two)
        await blocks.close()


async def test_a_refused_claim_is_that_of_one_block(client: Client, blocks: Blocks) -> None:
    """The others go on, on the same session."""
    over, job_id = await external(client), await external(client)
    await client.cancel(over)
    async with blocks.attach(job_id):
        with pytest.raises(JobEndedError):
            async with blocks.attach(over):
                pass

    assert await state_of(client, job_id) == "SUCCEEDED"


async def test_a_claim_takes_over_from_an_earlier_one_of_its_instance(client: Client, blocks: Blocks) -> None:
    """At once, although the process that has the job is connected: its block is told, and its other one goes on."""
    job_id, other = await external(client), await external(client)
    later = Blocks(blocks.address)
    first = blocks.attach(job_id, instance="message-1").attachment
    second = later.attach(job_id, instance="message-1").attachment
    async with blocks.attach(other):
        await first.claim()
        with pytest.raises(LeaseLost):
            await later.attach(job_id).attachment.claim()
        await second.claim()

        async def is_told() -> bool:
            return isinstance(first.stop, LeaseLost)

        await eventually(is_told)
        await first.end(asyncio.CancelledError())
        await second.end(None)
    await later.close()

    assert (await state_of(client, job_id), await state_of(client, other)) == ("SUCCEEDED", "SUCCEEDED")


async def test_a_process_runs_a_job_once(client: Client, blocks: Blocks) -> None:
    """Its claims have the same instance, so the server could not tell a second one from a repeated one."""
    job_id = await external(client)
    async with blocks.attach(job_id, wait=0.01) as job:
        with pytest.raises(LeaseLost, match=r"runs job .* already"):
            async with blocks.attach(job_id, wait=0.01):
                pass
        job.result = {"runs": 1}
    assert dict((await client.get(job_id)).proto.result.items()) == {"runs": 1}


async def test_a_refused_block_leaves_the_spool(
    client: Client, blocks: Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock would keep the reports of dead workers from others, for as long as its process lives."""
    monkeypatch.setenv("MILEPOST_SPOOL", str(tmp_path / "spool"))
    async with blocks.attach(job_id := await external(client)):
        with pytest.raises(LeaseLost):
            async with blocks.attach(job_id, wait=0.01):
                pass
    assert [*(tmp_path / "spool").glob("*")] == []


async def test_one_of_two_that_wait_gets_the_job(client: Client, blocks: Blocks) -> None:
    """The job of a block that has left it; the other one waits on, until the job has ended with that."""
    job_id = await external(client)
    first, *others = [blocks.attach(job_id, instance="message", wait=TIMEOUT).attachment for _ in range(3)]
    await first.claim()
    waiting = [asyncio.create_task(other.claim()) for other in others]
    await asyncio.sleep(0)  # both wait
    await first.give_back()
    (one,), (other,) = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    attempt = (await one).attempt
    assert len(blocks.session._tables) == 1  # a claim of the other one would be taken for a repeated one
    await others[waiting.index(one)].end(None)
    with pytest.raises(JobEndedError):
        await other

    assert (attempt, await state_of(client, job_id)) == (2, "SUCCEEDED")


async def test_each_block_has_its_own_error(shared_server: Server, client: Client) -> None:
    """They raise it in threads of their own, each of which adds its frames to the traceback."""
    with CuttableProxy(shared_server.address) as proxy:
        blocks = Blocks(proxy.address, timeout=1.0)
        proxy.refuse()
        waiting = [blocks.attach(await external(client)).attachment.claim() for _ in range(2)]
        one, two = await asyncio.gather(*waiting, return_exceptions=True)
        await blocks.close()

    assert isinstance(one, Unreachable)
    assert isinstance(two, Unreachable)
    assert one is not two
    assert str(one) == str(two)


async def test_heartbeats_do_not_keep_what_a_block_has_left_unfinished(hasty: Server) -> None:
    """Its lease expires, while other blocks of the process keep theirs."""
    blocks = Blocks(hasty.address)
    async with Client(hasty.address) as client:
        left, kept = await external(client), await external(client)
        async with blocks.attach(kept):
            unfinished = blocks.attach(left).attachment
            await unfinished.claim()
            await unfinished.detach(0.0)

            async def is_lost() -> bool:
                return await state_of(client, left) != "RUNNING"

            await eventually(is_lost)
        assert await state_of(client, kept) == "SUCCEEDED"
    await blocks.close()


async def test_a_lost_session_is_opened_again(shared_server: Server, client: Client) -> None:
    """At once for a block that runs, and otherwise with the next one."""
    with CuttableProxy(shared_server.address) as proxy:
        blocks = Blocks(proxy.address)
        one, two = await external(client), await external(client)
        async with blocks.attach(one):
            proxy.cut()
        proxy.cut()

        async def is_gone() -> bool:
            return await sessions_of(client, blocks.worker_id) == []

        await eventually(is_gone)
        async with blocks.attach(two):
            assert len(await sessions_of(client, blocks.worker_id)) == 1
        await blocks.close()

    assert [await state_of(client, job_id) for job_id in (one, two)] == ["SUCCEEDED", "SUCCEEDED"]


async def test_a_session_that_is_closed_leaves_nothing_behind(shared_server: Server, client: Client) -> None:
    """Also if the server does not end it in time; a later block connects again."""
    blocks = Blocks(shared_server.address)
    job_ids = [await external(client) for _ in range(2)]
    for job_id in job_ids:
        async with blocks.attach(job_id):
            pass
        await blocks.session.close(0.0)
        assert [task for task in asyncio.all_tasks() if "KeptSession" in repr(task)] == []
    await blocks.close()

    assert [await state_of(client, job_id) for job_id in job_ids] == ["SUCCEEDED", "SUCCEEDED"]
