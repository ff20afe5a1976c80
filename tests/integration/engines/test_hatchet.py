"""Tasks of the real Hatchet SDK as jobs: what Milepost shows of them, and what the engine gets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from milepost.client import Client, JobSnapshot
from milepost.v1 import Event
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.runs import ENDS, WorkflowRun
from tests.support.hatchet.worker_process import HatchetWorker
from tests.support.rpc import state_name
from tests.support.server import Server


@pytest.fixture(scope="module")
def hatchet() -> Iterator[HatchetServer]:
    """An engine."""
    with HatchetServer() as server:
        yield server


@pytest.fixture(scope="module")
def worker(
    hatchet: HatchetServer, shared_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HatchetWorker]:
    """A worker for all tests that need no other."""
    log = tmp_path_factory.mktemp("hatchet") / "worker.log"
    with HatchetWorker(hatchet, shared_server.address, log) as process:
        yield process


@pytest.fixture
async def client(shared_server: Server) -> AsyncIterator[Client]:
    """A client of the shared server."""
    async with Client(shared_server.address) as connected:
        yield connected


def ended(hatchet: HatchetServer, run: WorkflowRun) -> WorkflowRun:
    """Wait until a run has ended."""
    hatchet.engine.wait_for(lambda: run.state in ENDS)
    return run


async def job_of(client: Client, run: WorkflowRun) -> JobSnapshot:
    """The job of the only task of a run."""
    return await client.get(run.only.id)


async def log_of(client: Client, job_id: str) -> list[Event]:
    """All events of a job."""
    return [event async for event in client.watch(job_id, follow=False)]


async def test_a_task_is_a_job(hatchet: HatchetServer, worker: HatchetWorker, client: Client) -> None:
    """Its id is that of the task run; both engines see progress, result and end, and no argument of the task leaves."""
    run = ended(hatchet, hatchet.engine.trigger("convert", {"count": 4}))

    job = await job_of(client, run)
    assert (run.state, run.only.output, hatchet.engine.streamed[-1:]) == (
        "COMPLETED",
        '{"pages":4}',
        [b"converted"],
    )
    assert (job.kind, state_name(job), job.result, job.attempt) == ("convert", "SUCCEEDED", {"pages": 4}, 1)
    assert (job.stages[0].current, job.stages[0].total, job.fraction_known) == (4, 4, True)
    assert not job.proto.HasField("input")
    assert job.labels == {
        "team": "a",
        "hatchet.run/workflow": "convert",
        "hatchet.run/task": "convert",
        "hatchet.run/workflow-run-id": run.id,
        "hatchet.run/task-run-id": run.only.id,
    }
    assert [kind for _, kind in run.only.events] == ["STARTED", "STARTED", "COMPLETED"]
