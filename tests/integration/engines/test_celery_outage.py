"""What tasks wait for while Milepost's server is away: it refuses connections, or does not answer."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from milepost.client import Client
from milepost.client.engines.celery.task_client import TaskClient
from milepost.v1 import Dispatch, SubmitJobRequest
from tests.support.celery_jobs import pids_in, touch
from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.proxy import CuttableProxy
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually, state_name
from tests.support.server import Server

# Seconds that no test lasts: whoever waits for an answer is found out by the time-out of the test.
LONG = 600.0


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that accepts connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def request() -> SubmitJobRequest:
    """A job to submit."""
    return SubmitJobRequest(job_id="a-task", kind="convert", dispatch=Dispatch.DISPATCH_EXTERNAL)


def test_a_refused_connection_is_recognised_at_once(nowhere: str, caplog: pytest.LogCaptureFixture) -> None:
    """The first one is the end of the attempt: gRPC repeats it for longer than a publication waits by default."""
    client = TaskClient(nowhere, 1.0, {})
    submitted = client.submit(request())

    assert submitted is None
    warnings = [record.message for record in caplog.records if record.name == "milepost.client"]
    assert [warning.rpartition(": ")[2] for warning in warnings] == ["connection refused"]


@pytest.mark.parametrize("is_submitted", [False, True])
def test_a_task_does_not_wait_while_an_outage_is_known(
    silent: str, caplog: pytest.LogCaptureFixture, *, is_submitted: bool
) -> None:
    """It starts without the server, which no call has asked before."""
    caplog.set_level(logging.WARNING, "milepost.client")
    client = TaskClient(silent, LONG, {})
    client.note_outage()
    enter = client.submitted_block if is_submitted else client.block
    block = enter(request(), None, on_unreachable="go on", on_lost="go on", flush_timeout=0.05)
    with block as job:
        assert (job.id, job.attempt) == ("a-task", 0)

    assert "it was away a moment ago" in caplog.text


async def test_ends_that_wait_when_the_process_ends_are_in_the_spool(
    shared_server: Server, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process waits for a known outage no longer than 0.2 s; the next one, with the same spool, delivers its ends."""
    monkeypatch.setenv("MILEPOST_SPOOL", str(tmp_path / "spool"))
    job_id = (await client.submit("step", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
    with CuttableProxy(shared_server.address) as proxy:
        ending, next_ = TaskClient(proxy.address, LONG, {}), TaskClient(shared_server.address, LONG, {})
        ending.keep_session(1)
        next_.keep_session(1)
        await asyncio.to_thread(run_block, ending, job_id, proxy)
        await asyncio.to_thread(ending.close, 2.0)
        assert len([*(tmp_path / "spool").glob("*.report")]) == 1

        other = (await client.submit("step", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
        await asyncio.to_thread(run_block, next_, other)
        ends = [await ended(client, job) for job in (job_id, other)]
        await asyncio.to_thread(next_.close, 2.0)

    assert ends == ["SUCCEEDED"] * 2
    assert [*(tmp_path / "spool").glob("*.report")] == []


async def test_an_end_that_has_just_come_is_in_the_spool(
    shared_server: Server, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also that of a process which waits for nothing when it ends."""
    monkeypatch.setenv("MILEPOST_SPOOL", str(tmp_path / "spool"))
    job_id = (await client.submit("step", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
    with CuttableProxy(shared_server.address) as proxy:
        tasks = TaskClient(proxy.address, LONG, {})
        tasks.keep_session(1)

        def end_with_its_process() -> None:
            run_block(tasks, job_id, proxy)
            tasks.close(0.0)

        await asyncio.to_thread(end_with_its_process)
    assert len([*(tmp_path / "spool").glob("*.report")]) == 1


async def ended(client: Client, job_id: str) -> str:
    """The state of a job once it has ended."""
    state = ""
    async for snapshot in client.follow(job_id):
        state = state_name(snapshot.proto)
    return state


def run_block(tasks: TaskClient, job_id: str, proxy: CuttableProxy | None = None) -> None:
    """Run a block as a task does; cut its process off before its end."""
    block = tasks.submitted_block(SubmitJobRequest(job_id=job_id, kind="step"), None, on_lost="go on")
    job = block.__enter__()
    if proxy is not None:
        proxy.refuse()
        proxy.cut()
        tasks.note_outage()
    tasks.end(block.leave(None), job, "", waits=False, is_final=True, timeout=2.0)


@pytest.mark.nightly
async def test_an_end_survives_the_kill_of_its_worker_right_after_it(
    broker: RedisServer, shared_server: Server, client: Client, started: Path, released: Path, tmp_path: Path
) -> None:
    """With a spool: Celery has the result, the server not yet. The next worker of the machine delivers it, unasked."""
    queue = f"spooled-{uuid4()}"
    publisher = studio(f"{broker.url}/0", f"{broker.url}/1", shared_server.address, task_default_queue=queue)
    environment = {
        "CELERY_BROKER": f"{broker.url}/0",
        "CELERY_RESULTS": f"{broker.url}/1",
        "MILEPOST_SPOOL": str(tmp_path / "spool"),
    }
    with CuttableProxy(shared_server.address) as proxy:
        environment["MILEPOST_ADDRESS"] = proxy.address
        log = tmp_path / "killed.log"
        worker = CeleryWorker("tests.support.celery_tasks", log, "-Q", queue, environment=environment).start()
        result = publisher.tasks["hold"].delay(str(started), str(released))
        await pids_in(started)
        await eventually(partial(runs, client, str(result.id)))
        proxy.refuse()
        proxy.cut()
        touch(released)
        value = await asyncio.to_thread(result.get, timeout=120)
        worker.kill()
    environment["MILEPOST_ADDRESS"] = shared_server.address
    with CeleryWorker(
        "tests.support.celery_tasks", tmp_path / "next.log", "-Q", queue, environment=environment
    ):
        state = await ended(client, str(result.id))
    publisher.close()

    assert (value, state) == ("released", "SUCCEEDED")
    assert [*(tmp_path / "spool").glob("*.report")] == []


async def runs(client: Client, job_id: str) -> bool:
    """Whether the job runs."""
    return state_name((await client.get(job_id)).proto) == "RUNNING"
