"""A cursor in the log of a deleted job is none in that of a later job with its id (rule 4)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Literal, NamedTuple

import pytest

from milepost.client import Client
from milepost.client.errors import EpochChanged
from milepost.v1 import DeleteJobRequest, Job, OnGap, WatchJobResponse
from tests.support.event_streams import all_records, names
from tests.support.http_watch import FRAMINGS, http_client
from tests.support.proxy import CuttableProxy
from tests.support.rpc import Rpc, connect, log_line, succeeded
from tests.support.server import Server, ServerProcess


class Reused(NamedTuple):
    """Two jobs that had the same id, one after the other."""

    first: Job
    second: Job


async def ended_job(rpc: Rpc, job_id: str, lines: int = 1) -> Job:
    """A job of this id that has ended, with so many lines of log."""
    await rpc.submit(job_id=job_id)
    async with rpc.session() as session:
        _, token = await session.take()
        await session.report(job_id, token, 1, *[log_line("line")] * lines, succeeded())
        await session.acknowledged(1)
    return await rpc.get(job_id)


async def reused_id(rpc: Rpc) -> Reused:
    """End and delete a job, and end a later one with its id, whose log is longer."""
    job_id = uuid.uuid4().hex
    first = await ended_job(rpc, job_id)
    await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
    return Reused(first, await ended_job(rpc, job_id, lines=5))


async def frames_of(
    rpc: Rpc, after: int, job: Job, epoch: str, **fields: OnGap.ValueType
) -> list[WatchJobResponse]:
    """The frames of a watch that resumes, up to the head."""
    watch = rpc.watch(job.job_id, after_sequence=after, epoch=epoch, no_follow=True, **fields)
    return [frame async for frame in watch]


def sequences(frames: Sequence[WatchJobResponse]) -> list[int]:
    """The sequences of all events in the frames."""
    return [event.sequence for frame in frames for event in frame.events.events]


async def test_a_cursor_of_a_deleted_job(server: Server) -> None:
    """It is refused for a later job with the id, or answered with a snapshot if requested; also after a restart."""
    async with connect(server.address) as rpc:
        first, second = await reused_id(rpc)
    for restarts in (True, False):
        async with connect(server.address) as rpc:
            for given in (first.last_sequence, 1):
                with pytest.raises(EpochChanged) as refused:
                    async with Client(server.address) as client:
                        await anext(client.watch(first.job_id, after=given, epoch=first.epoch))
                assert (refused.value.requested, refused.value.epoch) == (first.epoch, second.epoch)
                frames = await frames_of(rpc, given, first, first.epoch, on_gap=OnGap.ON_GAP_SNAPSHOT)
                assert [frame.WhichOneof("frame") for frame in frames] == ["opened", "snapshot", "caught_up"]
                assert (frames[0].opened.epoch, frames[1].snapshot.job) == (second.epoch, second)
            # Cursors of the later job go on, and so do those of which only the store is known.
            for epoch in (second.epoch, server.epoch, ""):
                assert sequences(await frames_of(rpc, 3, first, epoch)) == list(range(4, 9))
        if restarts:
            server.stop()
            server.restart()


@pytest.mark.parametrize("on_gap", ["raise", "snapshot"])
async def test_a_watch_that_is_cut_while_the_id_is_used_again(
    shared_server: Server, rpc: Rpc, on_gap: Literal["raise", "snapshot"]
) -> None:
    """The SDK raises EpochChanged when it comes back or, as requested, goes on with the later job from a snapshot."""
    job_id = (await rpc.submit()).job_id
    with CuttableProxy(shared_server.address) as network:
        async with Client(network.address) as client:
            watch = client.watch(job_id, on_gap=on_gap)
            assert (await anext(watch)).job_id == job_id
            network.refuse()
            network.cut()
            await rpc.cancel(job_id)
            await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
            second = await ended_job(rpc, job_id)
            network.allow()
            if on_gap == "raise":
                with pytest.raises(EpochChanged):
                    await anext(watch)
            else:
                assert [item async for item in watch] == [second]


@pytest.mark.parametrize("accept", FRAMINGS.values())
async def test_a_browser_that_comes_back_to_another_job(web_server: ServerProcess, accept: str) -> None:
    """A gap precedes the snapshot of the later job; after that the id of its events is that of the later job."""
    async with connect(web_server.address) as rpc, http_client(web_server.url) as web:
        first, second = await reused_id(rpc)
        path = f"/v1/jobs/{first.job_id}:watch"
        last_event_id = f"{first.epoch}:{second.last_sequence}"
        found = await all_records(web, path, accept=accept, last_event_id=last_event_id)
        assert names(found) == ["opened", "gap", "snapshot", "caught_up", "end"]
        assert (found[1].data["reason"], found[1].data["epoch"]) == ("EPOCH_CHANGED", first.epoch)
        assert found[2].data["job"]["epoch"] == second.epoch
        back = await web.get(path, headers={"last-event-id": found[-1].id, "accept": accept})
        assert (back.status_code, found[-1].id) == (204, f"{second.epoch}:{second.last_sequence}")
