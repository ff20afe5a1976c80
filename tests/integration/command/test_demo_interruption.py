"""The demo cuts the connection of a running job, however fast the job is."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.client import Client, JobSnapshot
from milepost.client._cli.demo.demo_run import show
from milepost.client._cli.demo.tcp_relay import TcpRelay
from milepost.client._cli.rendering.job_view import SilentView
from milepost.v1 import Dispatch, Stage, StageProgressed, StageStarted, Update
from tests.support.rpc import Rpc, connect, log_line, succeeded
from tests.support.server import ServerProcess

# Without a plan another stage may follow, so that the only stage counts as half of the job.
HALFWAY = [
    Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=2))),
    Update(stage_progressed=StageProgressed(stage_id="s", current=2, total=2)),
]
REST = [log_line("missed"), succeeded()]


class Quick(Client):
    """A connection of the demo's own whose first jobs, ``over``, are over as soon as they are there.

    The next one stands halfway, and is over when it is first looked at.
    """

    def __init__(self, address: str, rpc: Rpc, over: int) -> None:
        super().__init__(address)
        self._rpc = rpc
        self._over = over
        self._token = ""
        self.jobs: list[str] = []

    async def submit(self, *_content: Any, **_options: Any) -> JobSnapshot:
        """A job."""
        stages = [Stage(stage_id="s", total=2)]
        job = await self._rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, stages=stages)
        self.jobs.append(job.job_id)
        async with self._rpc.session() as session:
            await session.send(claim={"job_id": job.job_id})
            _, token = await session.take()
            updates = HALFWAY
            if len(self.jobs) <= self._over:
                updates = [*HALFWAY, *REST]
            else:
                self._token = token
            await session.report(job.job_id, token, 1, *updates)
            await session.acknowledged(len(updates))
        return JobSnapshot(job)

    async def get(self, job_id: str) -> JobSnapshot:
        """Return the job, which has ended."""
        if self._token:
            async with self._rpc.session() as session:
                await session.send(resume={"job_id": job_id, "lease_token": self._token})
                await session.receive("resumed")
                await session.report(job_id, self._token, 3, *REST)
                await session.acknowledged(4)
            self._token = ""
        return await super().get(job_id)


@pytest.mark.parametrize("over", [0, 2])
async def test_a_job_that_ends_as_soon_as_the_connection_is_cut(server: ServerProcess, over: int) -> None:
    """Its remaining events came meanwhile; after a job that ended before the cut the demo runs another one."""
    async with (
        connect(server.address) as rpc,
        TcpRelay(server.address) as relay,
        Client(relay.address) as client,
        Quick(server.address, rpc, over) as direct,
    ):
        job, account = await show(client, direct, relay, {}, SilentView)

    assert (over + 1, job.job_id) == (len(direct.jobs), direct.jobs[-1])
    assert (account.cut_at, account.resumed_at, account.meanwhile, account.good) == (4, 4, 2, True)


async def test_jobs_that_are_always_over_before(server: ServerProcess) -> None:
    """The demo gives up after some jobs, and says why."""
    async with (
        connect(server.address) as rpc,
        TcpRelay(server.address) as relay,
        Client(relay.address) as client,
        Quick(server.address, rpc, 100) as direct,
    ):
        _, account = await show(client, direct, relay, {}, SilentView)

    assert (len(direct.jobs), account.cut_at, account.good) == (10, 0, False)
