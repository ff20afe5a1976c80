"""`milepost workers`, and the reports of other commands and the SDK about jobs without a worker."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Iterator

import pytest

from milepost.client import Client, JobContext, JobFailure, SyncClient, Watch
from milepost.v1 import Dispatch, Waiting, WaitingFor
from tests.support.command import milepost, started, terminal
from tests.support.forking import Forkery
from tests.support.rpc import eventually
from tests.support.server import ServerProcess
from tests.support.working import working

WORKER = WaitingFor.WAITING_FOR_WORKER


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery) -> Iterator[str]:
    """A server whose grace period for reconnecting workers is over: half of the lease."""
    data = tmp_path_factory.mktemp("workers") / "data"
    with ServerProcess(data, "--lease-ttl", "4", forkery=forkery) as server:
        yield server.address


async def fail(job: JobContext) -> None:
    """Fail finally."""
    raise JobFailure("NO_DISK", "there is no disk")


async def archive(job: JobContext) -> dict[str, object]:
    """Succeeds."""
    return {"files": 3}


async def mistyped(client: Client, kind: str = "archve") -> str:
    """A job of a kind without workers, once the server says so."""
    job = await client.submit(kind)

    async def said() -> bool:
        waiting = await client.waiting(job.job_id)
        return waiting is not None and waiting.waiting_for == WORKER

    await eventually(said)
    return job.job_id


async def test_workers_are_listed(address: str) -> None:
    """As a table, as JSON, or for one kind; with a message if there are none."""
    none = await milepost("workers", address=address)
    async with working(address, archive=archive, max_concurrency=3) as worker:
        await _listed(address)
        plain = await milepost("workers", "--output", "plain", address=address)
        objects = (await milepost("workers", "--output", "json", address=address)).objects
        other = await milepost("workers", "--kind", "archve", address=address)

    assert (none.status, none.out, none.err) == (0, "", "No worker is connected.\n")
    assert (other.status, other.out, other.err) == (0, "", "No worker takes jobs of kind 'archve'.\n")
    headings, line = plain.out.splitlines()
    assert headings.split() == ["WORKER", "JOBS", "HEARD", "FROM", "KINDS"]
    assert line.split()[1:4] == ["0", "of", "3"]
    assert line.split()[-1] == "archive"
    (found,) = objects
    assert (found["kinds"], found["maxConcurrency"]) == (["archive"], 3)
    assert worker.kinds == ("archive",)


async def _listed(address: str) -> None:
    """Wait until a worker is connected."""
    async with Client(address) as client:

        async def connected() -> bool:
            return bool([worker async for worker in client.workers()])

        await eventually(connected)


@pytest.mark.parametrize("columns", [80, 50])
async def test_workers_on_a_terminal(address: str, columns: int) -> None:
    """The table fits the terminal, with the important columns."""
    async with working(address, archive=archive):
        await _listed(address)
        async with terminal("workers", address=address, columns=columns) as shown:
            await shown.process.wait()
            await shown.shows(lambda text: "archive" in text)
            lines = shown.text.splitlines()

    assert len(lines) == 2
    assert max(map(len, lines)) <= columns


async def test_following_a_job_of_an_unknown_kind_says_so(address: str) -> None:
    """By `submit --watch`, `submit --wait`, `watch` and `get`, with the nearest kind; as text or JSON, on stderr."""
    words = "no worker takes jobs of kind 'archve'; workers take 'archive'"
    waiting = {"waitingFor": "WAITING_FOR_WORKER", "nearestKinds": ["archive"]}
    async with Client(address) as client, working(address, archive=archive):
        await _listed(address)
        job_id = await mistyped(client)
        got = await milepost("get", job_id, address=address)
        as_json = await milepost("get", job_id, "--output", "json", address=address)
        for command in (
            ("submit", "archve", "--watch"),
            ("submit", "archve", "--wait"),
            ("watch", job_id),
        ):
            async with started(*command, address=address) as running:
                await running.says(words)
            async with started(*command, "--output", "json", address=address) as running:
                # Each of these jobs waits beside those before it, so that the numbers that follow differ.
                await running.says(json.dumps({"waiting": waiting}, separators=(",", ":")).removesuffix("}}"))

    assert f"waiting    {words}" in got.out.splitlines()
    assert json.loads(as_json.err) == {"waiting": {**waiting, "jobsWaiting": 1}}
    assert as_json.objects[0]["jobId"] == job_id


async def test_followers_see_when_a_worker_connects(address: str) -> None:
    """Then the job runs like any other."""
    async with Client(address) as client:
        job_id = await mistyped(client, "archvie")
        async with started("watch", job_id, address=address) as running:
            await running.says("no worker takes jobs of kind 'archvie'")
            async with working(address, archvie=archive):
                outcome = await running.end()

    assert (outcome.status, json.loads(outcome.out)) == (0, {"files": 3})


async def test_an_external_job_waits_to_be_claimed(address: str) -> None:
    """An external job needs no worker."""
    async with Client(address) as client:
        job = await client.submit("archve", dispatch=Dispatch.DISPATCH_EXTERNAL)
        got = await milepost("get", job.job_id, address=address)
        async with started("watch", job.job_id, address=address) as running:
            await running.says("waits to be claimed")

    assert "waiting    waits to be claimed" in got.out.splitlines()
    assert "no worker" not in got.out


async def test_commands_that_wait_report_a_failure(address: str) -> None:
    """On stderr, with its code; a success prints nothing."""
    async with working(address, fail=fail, archive=archive):
        failed = await milepost("submit", "fail", "--job-id", "failed", "--wait", address=address)
        succeeded = await milepost("submit", "archive", "--job-id", "ok", "--wait", address=address)
    late = await milepost(
        "submit", "x", "--job-id", "late", "--start-deadline", "1s", "--wait", address=address
    )

    assert (failed.status, failed.out) == (1, "failed\n")
    assert failed.err.splitlines()[-1] == "Error: Job failed failed: there is no disk (NO_DISK)"
    assert (succeeded.status, succeeded.out, succeeded.err) == (0, "ok\n", "")
    assert late.status == 124
    assert late.err.splitlines()[-1].endswith("(START_DEADLINE)")


async def test_a_watch_knows_what_its_job_waits_for(address: str) -> None:
    """Each change is reported; once the job has started, it waits for nothing."""
    reasons: list[Waiting | None] = []
    async with Client(address) as client:
        job_id = await mistyped(client, "arhive")
        heard = asyncio.Event()

        def on_waiting(waiting: Waiting | None) -> None:
            reasons.append(waiting)
            heard.set()

        async with client.watch(job_id, on_waiting=on_waiting) as watch:
            first = await anext(watch)
            following = asyncio.create_task(_rest(watch))
            await heard.wait()
            known = watch.waiting
            async with working(address, arhive=archive):
                await following
            after = watch.waiting
        ended = await client.waiting(job_id)

    assert first.HasField("job_submitted")
    assert known is not None
    assert (known, known.waiting_for) == (reasons[0], WORKER)
    assert (after, reasons[-1], ended) == (None, None, None)


async def _rest(watch: Watch) -> None:
    async for _ in watch:
        pass


def test_the_sync_client_reports_waiting_reasons(address: str) -> None:
    """With the same names as the async client."""
    with SyncClient(address) as client:
        job = client.submit("never", dispatch=Dispatch.DISPATCH_EXTERNAL)
        waiting, workers = client.waiting(job.job_id), list(client.workers(kind="never"))
        reasons: queue.Queue[Waiting | None] = queue.Queue()
        with client.watch(job.job_id, on_waiting=reasons.put) as watch:
            watching = threading.Thread(target=lambda: list(watch))
            watching.start()
            heard = reasons.get(timeout=120)
            known = watch.waiting
            client.cancel(job.job_id)
            watching.join(120)

    claim = Waiting(waiting_for=WaitingFor.WAITING_FOR_CLAIM)
    assert (waiting, heard, known, workers) == (claim, claim, claim, [])
    assert watch.waiting is None
