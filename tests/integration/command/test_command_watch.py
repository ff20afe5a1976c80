"""`milepost watch`: replay, resume, and its output."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from dataclasses import dataclass

import pytest
from google.protobuf.json_format import ParseDict

from milepost.client import Client, JobContext
from milepost.v1 import Event
from tests.support.command import milepost, started
from tests.support.proxy import CuttableProxy
from tests.support.server import ServerProcess
from tests.support.working import working


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


@dataclass
class Stepwise:
    """A handler that advances one step on request; and its events so far."""

    steps: asyncio.Semaphore

    async def run(self, job: JobContext) -> dict[str, object]:
        """Run five steps."""
        async with job.stage("count", total=5, unit="steps") as stage:
            for number in range(5):
                await self.steps.acquire()
                job.log(f"step {number}", stage=stage)
                stage.advance()
        return {"steps": 5, "name": "naïve"}


@pytest.fixture
def stepwise() -> Stepwise:
    """A job that waits for its first step."""
    return Stepwise(asyncio.Semaphore(0))


async def ended_job(client: Client, address: str, kind: str, stepwise: Stepwise) -> list[Event]:
    """Run a job with this kind and id to its end; return its log."""
    for _ in range(5):
        stepwise.steps.release()
    async with working(address, **{kind: stepwise.run}):
        await client.submit(kind, job_id=kind)
        return [event async for event in client.watch(kind)]


async def test_a_job_that_has_ended_is_replayed(
    shared_server: ServerProcess, client: Client, kind: str, stepwise: Stepwise
) -> None:
    """A line for each event on stderr, and the result on stdout, as JSON."""
    log = await ended_job(client, shared_server.address, kind, stepwise)
    outcome = await milepost("watch", kind, address=shared_server.address)
    lines = [re.sub(r"\d+\.\ds$", "N.Ns", line.split("  ", 1)[1]) for line in outcome.err.splitlines()]

    assert outcome.status == 0
    assert json.loads(outcome.out) == {"steps": 5, "name": "naïve"}
    assert lines == [
        f"{kind} {kind} submitted",
        f"started by worker {(await client.get(kind)).worker_id}",
        "count: started, 5 steps",
        *(f"count | step {number}" for number in range(5)),
        "count: succeeded, 5 steps in N.Ns",
        "succeeded in N.Ns",
    ]
    assert log[-1].HasField("job_ended")


async def test_events_as_json(
    shared_server: ServerProcess, client: Client, kind: str, stepwise: Stepwise
) -> None:
    """One event per line in protobuf JSON, which can be parsed back."""
    log = await ended_job(client, shared_server.address, kind, stepwise)
    outcome = await milepost("watch", kind, "--output", "json", address=shared_server.address)

    assert (outcome.status, outcome.err) == (0, "")
    assert log == [ParseDict(line, Event()) for line in outcome.objects]


async def test_a_watch_resumes_after_a_sequence(
    shared_server: ServerProcess, client: Client, kind: str, stepwise: Stepwise
) -> None:
    """A cursor is exclusive (rule 1); at the end of an ended log only the status remains."""
    log = await ended_job(client, shared_server.address, kind, stepwise)

    for after in (3, len(log)):
        outcome = await milepost(
            "watch", kind, "--after", str(after), "-o", "json", address=shared_server.address
        )

        assert outcome.status == 0
        assert log[after:] == [ParseDict(line, Event()) for line in outcome.objects]


async def test_a_plain_watch_that_starts_amid_the_log_knows_its_stages(
    shared_server: ServerProcess, client: Client, kind: str, stepwise: Stepwise
) -> None:
    """Earlier plans and starts are not printed, but taken into account."""
    await ended_job(client, shared_server.address, kind, stepwise)
    outcome = await milepost("watch", kind, "--after", "5", address=shared_server.address)

    assert "count: succeeded, 5 steps in 0" in outcome.err
    assert "submitted" not in outcome.err


async def test_a_watch_that_does_not_follow(shared_server: ServerProcess, client: Client, kind: str) -> None:
    """It stops at the head with 0, although the job has not ended."""
    await client.submit(kind, job_id=kind)
    outcome = await milepost("watch", kind, "--no-follow", "-o", "json", address=shared_server.address)

    assert (outcome.status, [line["sequence"] for line in outcome.objects]) == (0, ["1"])


@pytest.mark.parametrize(
    ("arguments", "reason"), [(("--after", "99"), "SEQUENCE_AHEAD"), (("--epoch", "other"), "EPOCH_CHANGED")]
)
async def test_an_invalid_cursor_is_refused_with_its_reason(
    shared_server: ServerProcess, client: Client, kind: str, arguments: tuple[str, str], reason: str
) -> None:
    """An object on stderr has the reason for programs (rules 3 and 4)."""
    await client.submit(kind, job_id=kind)
    outcome = await milepost("watch", kind, *arguments, "-o", "json", address=shared_server.address)
    error = json.loads(outcome.err)["error"]

    assert (outcome.status, outcome.out, error["status"], error["reason"]) == (2, "", 2, reason)


async def test_a_watch_survives_its_connection(
    shared_server: ServerProcess, client: Client, kind: str, stepwise: Stepwise
) -> None:
    """A cut watch reports that, reconnects, and prints every event once (rule 2)."""
    await client.submit(kind, job_id=kind)
    with CuttableProxy(shared_server.address) as proxy:
        async with (
            working(shared_server.address, **{kind: stepwise.run}),
            started("watch", kind, "-o", "json", address=proxy.address) as programs,
            started("watch", kind, address=proxy.address) as people,
        ):
            stepwise.steps.release()
            await programs.says("step 0")
            await people.says("step 0")
            proxy.refuse()
            proxy.cut()
            await programs.says('{"connection":{"state":"reconnecting"')
            await people.says("connection: reconnecting")
            stepwise.steps.release()
            async for event in client.watch(kind):
                if event.log_written.text == "step 1":
                    break
            proxy.allow()
            await programs.says("step 1")
            await people.says("step 1")
            for _ in range(3):
                stepwise.steps.release()
            for_programs, for_people = await programs.end(), await people.end()
    log = [event async for event in client.watch(kind)]

    assert (for_programs.status, for_people.status) == (0, 0)
    assert log == [ParseDict(line, Event()) for line in for_programs.objects]
    assert "connection: live, resumed at " in for_people.err
    assert '{"connection":{"state":"live","resumedAt":' in for_programs.err


async def test_a_watch_survives_a_restart_of_the_server(server: ServerProcess) -> None:
    """A killed and restarted server has the same log, and the watch continues."""
    async with Client(server.address) as client:
        await client.submit("test", job_id="j")
        async with started("watch", "j", "-o", "json", address=server.address) as watching:
            await watching.says("jobSubmitted")
            server.kill()
            await watching.says("reconnecting")
            server.restart()
            await watching.says("resumedAt")
            await client.cancel("j")
            outcome = await watching.end()

    assert outcome.status == 3
    assert [line["sequence"] for line in outcome.objects] == ["1", "2", "3"]
