"""A store that stalls for longer than a lease: no worker that keeps sending loses its job (rule 14)."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from milepost.v1 import Claim, Dispatch, Heartbeat, Release, ReportJobRequest
from tests.support.forking import Forkery
from tests.support.rpc import Rpc, WorkSession, connect, eventually, log_line, state_name, succeeded
from tests.support.server import ServerProcess

# The server gives up waiting for a lock after 5 s; that and leases leave a machine room to stop for a second or two.
LEASE = 2.0
STALL = 1.5 * LEASE


@contextlib.contextmanager
def stalled(data: Path) -> Iterator[None]:
    """Stall the store in that directory: its server waits for the disk."""
    with contextlib.closing(sqlite3.connect(data / "milepost.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def take(rpc: Rpc, session: WorkSession) -> tuple[str, str]:
    """A new job for the session, and its lease token."""
    job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    await session.send(claim=Claim(job_id=job.job_id))
    return job.job_id, (await session.take())[1]


async def beat(session: WorkSession, enough: asyncio.Event) -> None:
    """Send heartbeats frequently."""
    while not enough.is_set():
        await session.send(heartbeat=Heartbeat())
        await asyncio.sleep(LEASE / 10)


async def call(rpc: Rpc, job_id: str, token: str) -> None:
    """Work without a session: two reports, the second after the answer to the first."""
    for number, update in enumerate((log_line("x"), succeeded()), 1):
        request = ReportJobRequest(
            job_id=job_id, lease_token=token, first_report_sequence=number, updates=[update]
        )
        await rpc.workers.ReportJob(request)


async def stands(rpc: Rpc, job_id: str) -> tuple[str, int]:
    """The job's state and attempt."""
    job = await rpc.get(job_id)
    return state_name(job), job.attempt


async def test_a_stall_that_lasts_longer_than_a_lease(tmp_path: Path, forkery: Forkery) -> None:
    """Workers that send, or wait for an answer, keep their jobs; the silent one loses its job."""
    with ServerProcess(tmp_path / "data", "--lease-ttl", str(LEASE), forkery=forkery) as server:
        async with (
            connect(server.address) as rpc,
            rpc.session(worker_id="speaks", kinds=[]) as speaks,
            rpc.session(worker_id="silent", kinds=[]) as silent,
            rpc.session(worker_id="calls", kinds=[]) as calls,
        ):
            back = [(session, *await take(rpc, session)) for session in (speaks, silent)]
            (spoken, token), (lost, _), called = [
                await take(rpc, session) for session in (speaks, silent, calls)
            ]
            enough = asyncio.Event()
            with stalled(server.data):
                # The server waits for its store to commit these, and reads nothing meanwhile.
                for session, job_id, lease in back:
                    await session.send(release=Release(job_id=job_id, lease_token=lease))
                beating = asyncio.create_task(beat(speaks, enough))
                calling = asyncio.create_task(call(rpc, *called))
                await asyncio.sleep(STALL)  # the fault itself
            await calling

            async def is_lost() -> bool:
                return await stands(rpc, lost) == ("LOST", 1)

            await eventually(is_lost)
            assert await stands(rpc, spoken) == ("RUNNING", 1)
            enough.set()
            await beating
            await speaks.report(spoken, token, 1, log_line("still here"), succeeded())
            await speaks.acknowledged(2)

            assert await stands(rpc, spoken) == ("SUCCEEDED", 1)
            assert await stands(rpc, called[0]) == ("SUCCEEDED", 1)
            assert [await stands(rpc, job_id) for _, job_id, _ in back] == [("QUEUED", 1)] * 2
