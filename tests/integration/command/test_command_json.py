"""What commands print as JSON, for programs."""

from __future__ import annotations

import json
import uuid

import pytest

from milepost.client import Client, JobContext, to_json
from tests.support.command import milepost
from tests.support.server import Server
from tests.support.working import working


async def measure(job: JobContext) -> dict[str, object]:
    """Report whole numbers in every place for JSON."""
    job.log("measured", rows=7)
    job.emit("metrics", {"rows": [1, 2.5]})
    return {"exit_status": 0, "deep": [{"rows": 7}]}


async def test_whole_numbers_are_whole(shared_server: Server) -> None:
    """In `get`, `list`, `watch`, `submit`: of inputs, results, events and log fields."""
    kind, address = f"test-{uuid.uuid4().hex}", shared_server.address
    async with working(address, **{kind: measure}):
        submitted = await milepost("submit", kind, "-s", "n=3", "--wait", "-o", "json", address=address)
    job_id = submitted.objects[0]["jobId"]
    outcomes = [
        submitted,
        await milepost("get", job_id, "-o", "json", address=address),
        await milepost("list", "-k", kind, "-o", "json", address=address),
        await milepost("watch", job_id, "-o", "json", address=address),
        await milepost("cancel", job_id, "-o", "json", address=address),
    ]
    result = '"result":{"deep":[{"rows":7}],"exit_status":0}'
    watched = outcomes[3].out

    assert all(result in outcome.out and '"input":{"n":3}' in outcome.out for outcome in outcomes)
    assert '"fields":{"rows":7}' in watched
    assert '"json":{"rows":[1,2.5]}' in watched
    async with Client(address) as client:
        assert outcomes[1].objects == [to_json(await client.get(job_id))]


async def test_zeros_are_printed_on_request(shared_server: Server) -> None:
    """For each command that prints messages, by option or environment; only with JSON."""
    kind, address = f"test-{uuid.uuid4().hex}", shared_server.address
    submitted = await milepost("submit", kind, "-o", "json", "--always-print", address=address)
    job_id = submitted.objects[0]["jobId"]
    always = {"MILEPOST_ALWAYS_PRINT": "1"}
    outcomes = [
        submitted,
        await milepost("get", job_id, "-o", "json", "--always-print", address=address),
        await milepost("get", job_id, "-o", "json", address=address, env=always),
        await milepost("list", "-k", kind, "-o", "json", "--always-print", address=address),
    ]
    bare = await milepost("get", job_id, "-o", "json", address=address)
    watched = await milepost("watch", job_id, "--no-follow", "-o", "json", "--always-print", address=address)
    plain = await milepost("get", job_id, "-o", "plain", address=address, env=always)
    refused = await milepost("get", job_id, "--always-print", address=address)

    for outcome in outcomes:
        job = outcome.objects[0]
        assert (job["fraction"], job["attempt"], job["owner"], job["stages"]) == (0, 0, "", [])
    assert "fraction" not in bare.objects[0]
    assert watched.objects[0]["attempt"] == 0
    assert plain.status == 0
    assert (refused.status, refused.out) == (2, "")
    assert "--output json" in refused.err


@pytest.mark.parametrize("output", ["auto", "json"])
async def test_the_result_alone(shared_server: Server, output: str) -> None:
    """In the result that `watch` prints, too."""
    kind, address = f"test-{uuid.uuid4().hex}", shared_server.address
    async with working(address, **{kind: measure}):
        submitted = await milepost("submit", kind, "--watch", "-o", output, address=address)

    last = json.loads(submitted.out.splitlines()[-1])
    assert (last if output == "auto" else last["jobEnded"]["result"]) == {
        "exit_status": 0,
        "deep": [{"rows": 7}],
    }
    assert '"exit_status":0' in submitted.out
