"""The example of docs/hatchet.md runs as it stands there."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from milepost.client import Client
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.following import children_of
from tests.support.hatchet.worker_process import HatchetWorker
from tests.support.rpc import state_name
from tests.support.server import Server

DOCUMENT = (Path(__file__).parents[3] / "docs" / "hatchet.md").read_text()


async def test_the_example(shared_server: Server, client: Client, tmp_path: Path) -> None:
    """A worker, and a program that has it work: a job before the run, its child jobs, and the result in both."""
    worker, order = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    (tmp_path / "worker.py").write_text(worker)
    (tmp_path / "order.py").write_text(order)

    with (
        HatchetServer() as hatchet,
        HatchetWorker(hatchet, shared_server.address, tmp_path / "worker.log", tmp_path / "worker.py"),
    ):
        environment = {**os.environ, **hatchet.environment, "MILEPOST_ADDRESS": shared_server.address}
        program = await asyncio.create_subprocess_exec(
            sys.executable, tmp_path / "order.py", env=environment, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await program.communicate()
    job_id, _, result = printed.decode().strip().partition(" ")

    assert result == "{'words': 6}"
    job = await client.get(job_id)
    assert (state_name(job), job.kind, job.owner, job.result) == ("SUCCEEDED", "convert", "ops", {"words": 6})
    assert (job.stages[0].current, job.stages[0].total) == (2, 2)
    children = await children_of(client, job_id)
    assert [(child.kind, state_name(child)) for child in children] == [("scan", "SUCCEEDED")] * 2
