"""The interruption in the demo: it counts what the subscriber missed, however fast the job is."""

from __future__ import annotations

from milepost.client import Client
from milepost.client.commands.following import follow
from milepost.client.demo.interruption import Interruption
from milepost.client.demo.relay import Relay
from milepost.client.rendering.views import SilentView
from milepost.v1 import Dispatch, Job, Stage, StageProgressed, StageStarted, Update
from tests.support.rpc import Rpc, connect, log_line, succeeded
from tests.support.server import ServerProcess


class Quick(Client):
    """A connection of the demo's own, over which the job is first looked at when it is already over."""

    def __init__(self, address: str, rpc: Rpc, token: str) -> None:
        super().__init__(address)
        self._rpc = rpc
        self._token = token

    async def get(self, job_id: str) -> Job:
        """The job, which ends before."""
        if self._token:
            async with self._rpc.session() as session:
                await session.send(resume={"job_id": job_id, "lease_token": self._token})
                await session.receive("resumed")
                await session.report(job_id, self._token, 3, log_line("missed"), succeeded())
                await session.acknowledged(4)
            self._token = ""
        return await super().get(job_id)


async def test_a_job_that_ends_as_soon_as_the_connection_is_cut(server: ServerProcess) -> None:
    """What it had still to tell has happened meanwhile, although the log does not grow any more."""
    async with connect(server.address) as rpc, Relay(server.address) as relay:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        async with rpc.session() as session:
            await session.send(claim={"job_id": job.job_id})
            _, token = await session.take()
            halfway = [
                Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=2))),
                Update(stage_progressed=StageProgressed(stage_id="s", current=1, total=2)),
            ]
            await session.report(job.job_id, token, 1, *halfway)
            await session.acknowledged(2)
        async with Client(relay.address) as client, Quick(server.address, rpc, token) as direct:
            interruption = Interruption(SilentView(), relay, direct)
            await follow(client, job, interruption, hint=False)
        account = interruption.account(await rpc.log(job.job_id))

    assert (4, 4, 2, True) == (account.cut_at, account.resumed_at, account.meanwhile, account.good)
