"""Hatchet's tasks while Milepost is away or slow, while the engine is away, and when a worker is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from milepost.client import Client
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.following import ended, ended_job, lines_of, log_of, waiting
from tests.support.hatchet.worker_process import HatchetWorker
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually, state_name
from tests.support.server import Server

pytestmark = pytest.mark.nightly


@pytest.fixture
def proxy(shared_server: Server) -> Iterator[CuttableProxy]:
    """The way from the worker to Milepost."""
    with CuttableProxy(shared_server.address) as way:
        yield way


@pytest.fixture
def engine() -> Iterator[HatchetServer]:
    """An engine of the test's own."""
    with HatchetServer() as server:
        yield server


async def reports(client: Client, job_id: str, text: str) -> bool:
    """Whether a line is in the log of a job."""
    jobs = [job async for job in client.list(job_ids=[job_id])]
    return bool(jobs) and text in [line for _, line in lines_of(await log_of(client, job_id))]


async def test_milepost_never_costs_a_task(
    engine: HatchetServer, proxy: CuttableProxy, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Refused, silent, or away in between: results, failures and retries are as without Milepost.

    A warning says that a task is not reported. What a task reports during a cut is there after it.
    """
    log = tmp_path_factory.mktemp("far") / "worker.log"
    with HatchetWorker(engine, proxy.address, log, TASKS_TIMEOUT="3"):
        proxy.refuse()
        refused = [
            engine.engine.trigger(task) for task in ("convert", "convert_plain", "unsteady", "hopeless")
        ]
        refused_outcomes = [((await ended(engine, run)).state, run.only.retry_count) for run in refused]
        proxy.allow()

        proxy.stall()
        stalled = [engine.engine.trigger(task) for task in ("convert", "convert_plain")]
        stalled_outcomes = [(await ended(engine, run)).state for run in stalled]
        proxy.allow()

        cut = engine.engine.trigger("gated")
        await eventually(lambda: reports(client, cut.only.id, "before"))
        proxy.refuse()
        proxy.cut()
        engine.engine.trigger("gate")
        await asyncio.to_thread(engine.engine.wait_for, lambda: b"gated" in engine.engine.streamed)
        proxy.allow()
        await ended(engine, cut)

    assert refused_outcomes == [("COMPLETED", 0), ("COMPLETED", 0), ("COMPLETED", 2), ("FAILED", 0)]
    assert stalled_outcomes == ["COMPLETED", "COMPLETED"]
    assert "goes on without its server" in log.read_text()
    assert cut.state == "COMPLETED"
    job = await client.get(cut.only.id)
    assert (state_name(job), job.attempt, lines_of(await log_of(client, job.job_id))) == (
        "SUCCEEDED",
        1,
        [(1, "before"), (1, "after")],
    )


async def test_a_killed_worker_and_an_engine_that_was_away(
    engine: HatchetServer, shared_server: Server, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The attempt that another worker makes takes the job over at once, long before its lease is out, as no failure.

    A task that runs while the engine is away reports to Milepost, and its end reaches the engine once that is back.
    """
    logs = tmp_path_factory.mktemp("killed")
    with HatchetWorker(engine, shared_server.address, logs / "second.log"):
        with HatchetWorker(engine, shared_server.address, logs / "first.log") as doomed:
            engine.engine.preferred = doomed.worker_id
            run = engine.engine.trigger("waits")
            job_id = await waiting(client, engine, run)
            doomed.kill()
        engine.engine.lose(doomed.worker_id)

        assert (await ended(engine, run)).state == "COMPLETED"
        job = await client.get(job_id)
        assert (state_name(job), job.failed_attempts, job.result) == ("SUCCEEDED", 0, {"retries": 1})

        away = engine.engine.trigger("gated")
        await eventually(lambda: reports(client, away.only.id, "before"))
        engine.engine.trigger("gate")
        engine.stop()
        await eventually(lambda: reports(client, away.only.id, "after"))
        engine.start()

        assert (await ended(engine, away)).state == "COMPLETED"
        assert state_name(await client.get(away.only.id)) == "SUCCEEDED"


async def test_a_run_that_is_cancelled_between_attempts_after_its_process_has_stopped(
    engine: HatchetServer, shared_server: Server, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nobody tells another process of it, so the next one that runs a task looks for jobs that wait."""
    logs = tmp_path_factory.mktemp("stopped")
    with HatchetWorker(engine, shared_server.address, logs / "first.log"):
        with engine.engine.changed:
            run = engine.engine.trigger("unsteady")
            engine.engine.held.add("unsteady")  # the first attempt was sent; the next one waits

        async def waits() -> bool:
            jobs = [job async for job in client.list(job_ids=[run.only.id])]
            return any(job.failed_attempts == 1 and state_name(job) == "QUEUED" for job in jobs)

        await eventually(waits)
    engine.engine.cancel(run)
    engine.engine.release("unsteady")
    with HatchetWorker(engine, shared_server.address, logs / "second.log"):
        await ended(engine, engine.engine.trigger("convert"))

        assert await ended_job(client, run.only.id) == "CANCELLED"
    job = await client.get(run.only.id)
    assert (job.attempt, job.cancellation.reason) == (1, "The run was cancelled in Hatchet.")
