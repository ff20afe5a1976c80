"""Claimed jobs through broken connections and server failures."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.client import Client, SyncClient
from milepost.client.errors import JobEndedError, LeaseLost, Unreachable
from milepost.v1 import ErrorReason, JobState, Rejected, RetryPolicy
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually, state_name
from tests.support.scripted_sessions import Stream, assignment, scripted
from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with short leases."""
    with ServerProcess(tmp_path_factory.mktemp("hasty") / "data", "--lease-ttl", "1") as process:
        yield process


async def lines(client: Client, job_id: str) -> list[str]:
    """The log lines of the job."""
    events = [event async for event in client.watch(job_id, follow=False)]
    return [event.log_written.text for event in events if event.HasField("log_written")]


async def has_lines(client: Client, job_id: str, count: int) -> bool:
    """Whether the job's log has this many lines."""
    return len(await lines(client, job_id)) >= count


async def stands(client: Client, job_id: str, wanted: str) -> bool:
    """Whether the job has this state."""
    return wanted == state_name(await client.get(job_id))


async def test_a_block_survives_cuts_and_restarts(server: ServerProcess) -> None:
    """It continues under the same lease, and each report is in the log once (rules 11 and 14)."""
    with CuttableProxy(server.address) as proxy:
        async with Client(proxy.address) as far, Client(server.address) as near:
            async with far.start("step") as job:
                for number in range(3):
                    job.log(str(number))
                    proxy.cut()
                    job.log(f"{number} after")
                await eventually(lambda: has_lines(near, job.id, 4))
                server.kill()
                job.log("nobody hears")
                server.restart()
            ended = await near.get(job.id)
            result = await lines(near, job.id)

    assert (state_name(ended), ended.attempt) == ("SUCCEEDED", 1)
    assert result == ["0", "0 after", "1", "1 after", "2", "2 after", "nobody hears"]


@pytest.mark.parametrize(
    ("attempts", "error", "left"), [(1, JobEndedError, "LOST"), (2, LeaseLost, "QUEUED")]
)
async def test_a_lease_that_ran_out_interrupts_the_block(
    hasty: ServerProcess, attempts: int, error: type[Exception], left: str
) -> None:
    """As soon as the server can say so; the job is another worker's, or nobody's."""
    policy = RetryPolicy(max_attempts=attempts)
    policy.initial_backoff.SetInParent()

    async def work(far: Client, near: Client, proxy: CuttableProxy) -> None:
        async with far.start("step", job_id=left, retry_policy=policy):
            proxy.refuse()
            proxy.cut()
            await eventually(lambda: stands(near, left, left))
            proxy.allow()
            await asyncio.Event().wait()

    with CuttableProxy(hasty.address) as proxy:
        async with Client(proxy.address) as far, Client(hasty.address) as near:
            with pytest.raises(error):
                await work(far, near, proxy)
            assert await stands(near, left, left)


async def test_plain_code_sees_that_its_lease_ran_out(hasty: ServerProcess) -> None:
    """At the end of the block, even if it did not check."""

    def work(proxy: CuttableProxy) -> None:
        with (
            SyncClient(proxy.address) as far,
            SyncClient(hasty.address) as near,
            far.start("step", job_id="plain"),
        ):
            proxy.refuse()
            proxy.cut()
            *_, job = near.follow("plain")
            assert state_name(job) == "LOST"
            proxy.allow()

    with CuttableProxy(hasty.address) as proxy, pytest.raises(JobEndedError, match="LOST"):
        await asyncio.to_thread(work, proxy)


@pytest.mark.parametrize("raises", [False, True])
async def test_a_server_that_is_gone_at_the_end(
    server: ServerProcess, caplog: pytest.LogCaptureFixture, raises: bool
) -> None:
    """The block's outcome stands, a warning is logged, and the exit takes at most the flush timeout (rule 15)."""
    caplog.set_level(logging.WARNING, "milepost.client")

    async def work() -> str:
        async with Client(server.address) as client:
            async with client.start("step", flush_timeout=0.2) as job:
                server.kill()
                if raises:
                    raise ValueError("as the test says")
            return job.id

    if raises:
        with pytest.raises(ValueError, match="as the test says"):
            await work()
    else:
        assert await work()

    assert "were not delivered and are lost: there is no spool" in caplog.text


async def test_what_a_server_did_not_take_is_kept(server: ServerProcess, tmp_path: Path) -> None:
    """The spool holds them, and the next block or worker with that spool delivers them, whatever its job."""
    spool = tmp_path / "spool"
    async with Client(server.address) as client:
        async with client.start("step", job_id="kept", flush_timeout=0.0, spool=spool) as job:
            server.kill()
            job.log("nobody hears")
            job.result = {"n": 1}
        server.restart()
        async with client.start("step", spool=spool) as other:
            assert await client.result("kept") == {"n": 1}
        result_found = await lines(client, "kept")

    assert (result_found, True, list(spool.iterdir())) == (["nobody hears"], other.id != "kept", [])


async def test_a_cancellation_goes_before_an_error_of_the_spool(
    server: ServerProcess, tmp_path: Path
) -> None:
    """Whoever has cancelled the task waits for that. The error goes to the log."""
    spool = tmp_path / "spool"

    async def work() -> None:
        async with Client(server.address) as client, client.start("step", flush_timeout=0.0, spool=spool):
            server.kill()
            shutil.rmtree(spool)
            spool.touch()
            task.cancel()
            await asyncio.sleep(0)

    task = asyncio.create_task(work())
    await asyncio.wait((task,))

    assert task.cancelled()


@pytest.mark.parametrize("gap", [1, 2])
async def test_an_end_that_is_cancelled_twice_is_kept(
    server: ServerProcess, tmp_path: Path, gap: int
) -> None:
    """Without its server the spool has it, however soon the second cancellation comes."""
    spool = tmp_path / "spool"
    loop = asyncio.get_running_loop()

    async def work(far: Client, proxy: CuttableProxy) -> None:
        task = asyncio.current_task()
        assert task is not None

        def cancel(passes: int) -> None:
            if passes in (0, gap):
                task.cancel()
            if passes < gap:
                loop.call_soon(cancel, passes + 1)

        block = far.start("step", job_id="kept", spool=spool)

        async def is_cut() -> bool:
            return not block.attachment._jobs.is_connected

        async with block as job:
            proxy.refuse()
            proxy.cut()
            job.result = {"n": 1}
            await eventually(is_cut)
            loop.call_soon(cancel, 0)

    with CuttableProxy(server.address) as proxy:
        async with Client(proxy.address) as far:
            with pytest.raises(asyncio.CancelledError):
                await asyncio.create_task(work(far, proxy))
    async with Client(server.address) as near, near.start("step", spool=spool):
        assert await near.result("kept") == {"n": 1}


def test_a_client_that_is_closed_within_the_block(
    shared_server: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """The block's outcome stands, and a warning is logged."""
    client = SyncClient(shared_server.address)
    with client.start("step"):
        client.close()

    assert "the end of a job cannot be reported: The client is closed." in caplog.text


async def test_a_claim_that_is_not_answered() -> None:
    """It is repeated on the next session, and for a moment also where that is refused, as the server may have granted
    the first one; after the client's timeout the server counts as unreachable.
    """

    async def leave(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")

    async def assign(stream: Stream) -> None:
        await stream.welcomes()
        for _ in range(2):
            await stream.hears("claim")
            held = Rejected(job_id="j", reason=ErrorReason.ERROR_REASON_LEASE_LOST, message="held")
            await stream.says(rejected=held)
        await stream.hears("claim")
        await stream.says(assignment=assignment())
        await stream.ends()

    async def keep_silent(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        await stream.ends()

    async with scripted(leave, assign, keep_silent) as server:
        async with Client(server.address) as client, client.attach("j", flush_timeout=0.0):
            pass
        async with Client(server.address, timeout=0.1) as client:
            with pytest.raises(Unreachable, match=r"no answer to the claim within 0\.1 s"):
                async with client.attach("j"):
                    pass
    assert server.sessions >= 3


async def test_an_end_whose_acknowledgement_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    """The next session learns that the job has succeeded, which nobody but this block can have reported."""

    async def leave(stream: Stream) -> None:
        await stream.welcomes()
        await stream.hears("claim")
        await stream.says(assignment=assignment())
        report = (await stream.hears("report")).report
        assert [update.WhichOneof("update") for update in report.updates] == ["job_ended"]

    async def refuse(stream: Stream) -> None:
        await stream.welcomes()
        token = (await stream.hears("resume")).resume.lease_token
        await stream.says(
            rejected=Rejected(
                job_id="j",
                reason=ErrorReason.ERROR_REASON_JOB_ENDED,
                message="The job is SUCCEEDED.",
                lease_token=token,
                state=JobState.JOB_STATE_SUCCEEDED,
            )
        )
        await stream.ends()

    with caplog.at_level(logging.WARNING, "milepost.client"):
        async with scripted(leave, refuse) as server, Client(server.address) as client, client.attach("j"):
            pass

    assert [text for text in caplog.messages if "lost before all of its reports" in text] == []
