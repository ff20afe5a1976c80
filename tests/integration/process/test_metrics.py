"""``milepost serve --metrics``: what Prometheus reads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.forking import Forkery
from tests.support.http_watch import http_client
from tests.support.refused import refused
from tests.support.rpc import connect, eventually, succeeded
from tests.support.server import ServerProcess

DOC: Final = Path(__file__).parents[3] / "docs" / "operating.md"


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server with metrics."""
    with ServerProcess(tmp_path / "data", "--metrics", "127.0.0.1:0", forkery=forkery) as started:
        yield started


async def read(server: ServerProcess) -> dict[str, float]:
    """The values of all samples, by their names with their labels, as Prometheus's own parser reads them."""
    async with http_client(server.metrics) as http:
        answer = await http.get(server.metrics)
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = "".join(f" {value}" for value in sample.labels.values())
            found[f"{sample.name}{labels}"] = sample.value
    return found


async def test_jobs_workers_and_calls_are_counted(server: ServerProcess) -> None:
    """As they are at the moment of the request, or since the start."""
    async with connect(server.address) as rpc:
        waiting = await rpc.submit(kind="w")
        assert (await refused(rpc.get("missing"))).reason == "JOB_NOT_FOUND"
        async with rpc.session(kinds=["k"], max_concurrency=1) as session:
            job = await rpc.submit(kind="k")
            _, token = await session.take()
            queued = await rpc.submit(kind="k")
            watch = rpc.watch(waiting.job_id)
            await watch.read()
            busy = await read(server)
            watch.cancel()
            await rpc.cancel(queued.job_id)
            await session.report(job.job_id, token, 1, succeeded())
            await session.acknowledged(1)
        await rpc.cancel(waiting.job_id)

        async def all_ended() -> bool:
            found = await read(server)
            return (
                found["milepost_jobs_running"] == found["milepost_watches"] == found["milepost_workers"] == 0
            )

        await eventually(all_ended)
        idle = await read(server)

    assert busy["milepost_jobs_waiting_seconds w"] >= busy["milepost_jobs_waiting_seconds k"] >= 0
    expected = {
        "milepost_jobs_waiting w": 1,
        "milepost_kind_workers w": 0,
        "milepost_jobs_waiting k": 1,
        "milepost_kind_workers k": 1,
        "milepost_jobs_running": 1,
        "milepost_workers": 1,
        "milepost_worker_slots": 1,
        "milepost_worker_jobs": 1,
        "milepost_watches": 1,
        "milepost_watches_waiting": 0,
        "milepost_leases_lost_total": 0,
        "milepost_store_up": 1,
        "milepost_calls_total OK JobService/SubmitJob": 3,
        "milepost_calls_total NOT_FOUND JobService/GetJob": 1,
        "milepost_calls_total INTERNAL JobService/GetJob": 0,
    }
    assert {name: busy.get(name) for name in expected} == expected
    assert "milepost_jobs_waiting w" not in idle
    ends = [
        idle[f"milepost_jobs_ended_total {state}"] for state in ("SUCCEEDED", "CANCELLED", "FAILED", "LOST")
    ]
    assert ends == [1, 2, 0, 0]
    assert idle["milepost_log_position"] > busy["milepost_log_position"] > 0
    assert idle["milepost_store_bytes"] > 0
    assert idle["milepost_commit_seconds_count"] > busy["milepost_commit_seconds_count"] > 0
    assert idle["milepost_commit_seconds_bucket +Inf"] == idle["milepost_commit_seconds_count"]
    assert idle["milepost_commit_seconds_sum"] > 0
    names = {name.partition(" ")[0] for name in {**busy, **idle}}
    names = {re.sub(r"^(\w+_seconds)_(bucket|count|sum)$", r"\1", name) for name in names}
    metrics, _, alerts = (
        DOC.read_text().partition("\n### Metrics\n")[2].partition("\n### ")[0].partition("| when | means |")
    )
    assert set(re.findall(r"^\| `(\w+)`", metrics.partition("| metric |")[2], re.MULTILINE)) == names
    alerted = {name.removesuffix("_bucket") for name in re.findall(r"(?:milepost|process)_\w+", alerts)}
    assert alerted <= names


async def test_silent_connections_keep_nobody_out(server: ServerProcess) -> None:
    """Beyond so many the oldest is closed."""
    port = int(server.metrics.rpartition(":")[2].partition("/")[0])
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
    async with asyncio.timeout(120):
        assert (await read(server))["milepost_store_up"] == 1
        assert await silent[0][0].read() == b""
    for _, writer in silent:
        writer.close()


async def test_a_directory_that_cannot_be_read_leaves_its_size_out(
    server: ServerProcess, tmp_path: Path
) -> None:
    """The other metrics are there: they are wanted then."""
    moved = (tmp_path / "data").rename(tmp_path / "moved")
    found = await read(server)
    moved.rename(tmp_path / "data")
    assert "milepost_store_bytes" not in found
    assert found["milepost_store_up"] == 1


async def test_nothing_else_is_there(server: ServerProcess) -> None:
    """Neither other paths nor other verbs; a connection that says nothing, or too much, disturbs nobody."""
    url = server.metrics
    async with http_client(server.metrics) as http:
        found = [
            (await http.request(verb, url.replace("/metrics", path))).status_code
            for verb, path in (
                ("GET", "/"),
                ("GET", "/metrics/x"),
                ("POST", "/metrics"),
                ("HEAD", "/metrics"),
            )
        ]
        # By which error depends on how much of it was sent before the server hung up.
        with pytest.raises(httpx.TransportError):
            await http.get(url, headers={"x": "x" * 100_000})
    assert found == [404, 404, 405, 200]
    assert (await read(server))["milepost_store_up"] == 1
