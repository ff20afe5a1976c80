"""Each command that follows jobs reports a lost and a restored connection."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from milepost.client import Client, JobContext
from tests.support.command import started, terminal
from tests.support.forking import Forkery
from tests.support.proxy import CuttableProxy
from tests.support.server import ServerProcess
from tests.support.working import working


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own, short enough for a line."""
    return f"c-{uuid.uuid4().hex[:12]}"


class Held:
    """A handler that waits for the test."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def run(self, job: JobContext) -> None:
        """Write a line before waiting."""
        job.log("begun")
        await self.released.wait()


@pytest.mark.parametrize("output", ["plain", "json"])
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("watch {kind}", "begun"),
        ("logs {kind} --follow", "begun"),
        # Watches of many jobs start with the current state.
        ("watch {kind} {kind}-2", "{kind}-2"),
        ("watch --kind {kind}", "{kind}-2"),
    ],
)
async def test_a_connection_that_is_lost(
    shared_server: ServerProcess, client: Client, kind: str, command: str, shown: str, output: str
) -> None:
    """It is reported once, not for each retry, and so is the return; for programs as objects."""
    held = Held()
    arguments = (*command.format(kind=kind).split(), "--output", output)
    for job_id in (kind, f"{kind}-2"):
        await client.submit(kind, job_id=job_id)
    with CuttableProxy(shared_server.address) as proxy:
        async with (
            working(shared_server.address, **{kind: held.run}, max_concurrency=2),
            started(*arguments, address=proxy.address) as running,
        ):
            await running.says(shown.format(kind=kind))
            proxy.refuse()
            proxy.cut()
            await running.says("reconnecting")
            proxy.allow()
            await running.says("live")
            held.released.set()
            if "--kind" in arguments:
                running.signal(signal.SIGINT)
            err = (await running.end()).err
    if output == "json":
        lines = [json.loads(line) for line in err.splitlines()]
        states = [line["connection"]["state"] for line in lines if "connection" in line]
    else:
        states = re.findall(r"^\d\d:\d\d:\d\d  connection: (\w+)", err, re.MULTILINE)

    assert states == ["reconnecting", "live"]


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [(("list",), r"No jobs found\."), (("backup", "copy.db"), r"copy\.db  .* kB  epoch \S+")],
    ids=["a call", "a stream"],
)
async def test_a_command_waits_for_a_server_that_starts(
    tmp_path: Path, forkery: Forkery, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], printed: str
) -> None:
    """On a terminal it reports that once."""
    monkeypatch.chdir(tmp_path)
    server = ServerProcess(tmp_path / "data", forkery=forkery)
    address = server._arguments[2]
    async with terminal(*arguments, "--connect-timeout", "60s", address=address) as shown:
        await shown.shows(lambda text: "Waiting" in text)
        with server:
            status = await shown.process.wait()
            await shown.shows(lambda text: text.count("\n") == 2)

    assert status == 0
    assert re.fullmatch(f"Waiting up to 60 s for the server at {address} …\n{printed}\n", shown.text)


async def test_a_table_of_jobs_shows_its_connection(
    shared_server: ServerProcess, client: Client, kind: str
) -> None:
    """Below the jobs, as for one job."""
    ids = [(await client.submit(kind)).job_id for _ in range(2)]
    with CuttableProxy(shared_server.address) as proxy:
        async with terminal("watch", *ids, address=proxy.address, columns=120) as shown:
            await shown.shows(lambda text: re.search(r"^● live *$", text, re.MULTILINE))
            proxy.refuse()
            proxy.cut()
            await shown.shows(lambda text: re.search(r"^○ reconnecting.*\(", text, re.MULTILINE))
            proxy.allow()
            await shown.shows(lambda text: re.search(r"^● live, resumed at", text, re.MULTILINE))
            for job_id in ids:
                await client.cancel(job_id)
            await shown.process.wait()
            await shown.shows(lambda text: "2 jobs: 2 cancelled" in text)

    assert shown.text.rstrip().splitlines()[-1] == "2 jobs: 2 cancelled"
