"""Server-sent events and lines of JSON: their own rules, beyond those of watching."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from milepost.v1 import JobFilter, WatchJobsRequest
from tests.support.event_streams import SSE, all_records, ended_job, names
from tests.support.forking import Forkery
from tests.support.http_watch import FRAMINGS, http_client
from tests.support.rpc import Rpc, connect, eventually
from tests.support.server import ServerProcess


async def test_headers(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """No proxy may cache, buffer or change the stream, and `retry` tells the client when to reconnect."""
    response = await web.get(f"/v1/jobs/{await ended_job(rpc)}:watch", headers={"accept": SSE})

    assert response.headers["content-type"] == SSE
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in response.headers
    retry, _, _ = response.text.partition("\n\n")
    assert 1_000 <= int(retry.removeprefix("retry: ")) <= 4_000


async def test_retries_are_spread(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Clients of a server that stops do not all come back at once."""
    path = f"/v1/jobs/{await ended_job(rpc)}:watch"
    retries = {(await web.get(path)).text.partition("\n\n")[0] for _ in range(10)}

    assert len(retries) > 1


async def test_both_framings_say_the_same(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Names, ids and data, of a job and of many."""
    job_id = await ended_job(rpc)
    for path in (f"/v1/jobs/{job_id}:watch", f"/v1/jobs:watch?filter.kinds={rpc.kind}&no_follow=true"):
        sse, ndjson = [await all_records(web, path, accept=accept) for accept in FRAMINGS.values()]
        times = [found[0].data.pop("serverTime") for found in (sse, ndjson)]
        assert sse == ndjson
        assert all(times)


async def test_events(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Each event of the log is one, named after its payload, with its id; the end is the event `end`."""
    job_id = await ended_job(rpc)
    found = await all_records(web, f"/v1/jobs/{job_id}:watch")

    payloads = ["job_submitted", "job_started", "log_written", "log_written", "job_ended"]
    assert names(found) == ["opened", *payloads, "caught_up", "end"]
    epoch = (await rpc.get(job_id)).epoch
    assert [record.id for record in found] == [f"{epoch}:{n}" for n in (0, 1, 2, 3, 4, 5, 5, 5)]
    assert [found[3].data["logWritten"], found[3].data["sequence"]] == [{"text": "0"}, "3"]


async def test_commits_of_many_jobs(web: httpx.AsyncClient, rpc: Rpc, web_server: ServerProcess) -> None:
    """Only the last event of a commit has an id: a client that is cut within a commit gets all of it again."""
    await ended_job(rpc, 3)
    request = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), no_follow=True)
    expected = []
    async for frame in rpc.jobs.WatchJobs(request):
        commit = frame.events.events
        expected += [""] * (len(commit) - 1) + [f"{web_server.epoch}:{frame.events.position}"] * bool(commit)
    found = await all_records(web, f"/v1/jobs:watch?filter.kinds={rpc.kind}&no_follow=true")

    assert "" in expected
    assert [record.id for record in found if "sequence" in record.data and "jobId" in record.data] == expected


async def test_a_client_that_comes_back(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Last-Event-ID takes precedence over the parameters, which stay the same; after the end the answer is 204."""
    job_id = await ended_job(rpc)
    path = f"/v1/jobs/{job_id}:watch?start=snapshot"
    epoch = (await rpc.get(job_id)).epoch
    assert names(await all_records(web, path, last_event_id=f"{epoch}:3")) == [
        "opened",
        "log_written",
        "job_ended",
        "caught_up",
        "end",
    ]
    for accept in FRAMINGS.values():
        back = await web.get(path, headers={"last-event-id": f"{epoch}:5", "accept": accept})
        assert (back.status_code, back.content) == (204, b"")
    await rpc.submit()
    path = f"/v1/jobs:watch?no_follow=true&filter.kinds={rpc.kind}"

    async def comes_back() -> int:
        last = (await all_records(web, path))[-1].id
        return (await web.get(path, headers={"last-event-id": last})).status_code

    # Other tests' jobs may move the head meanwhile.
    while await comes_back() != 204:
        pass


async def test_a_client_that_comes_back_without_an_id(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """HTMX 2 always does; if it starts with a snapshot, it gets the current state and the end each time."""
    path = f"/v1/jobs/{await ended_job(rpc)}:watch?start=snapshot"
    for _ in range(2):
        found = await all_records(web, path)
        assert names(found) == ["opened", "snapshot", "caught_up", "end"]
        assert found[1].data["job"]["state"] == "JOB_STATE_SUCCEEDED"
        assert [bool(record.id) for record in found] == [False, True, True, True]


@pytest.mark.parametrize("accept", FRAMINGS.values())
async def test_another_epoch(web: httpx.AsyncClient, rpc: Rpc, accept: str) -> None:
    """A cursor of another store cannot be continued: a `gap` and a snapshot follow, or the request is refused."""
    path = f"/v1/jobs/{await ended_job(rpc)}:watch"
    found = await all_records(web, path, last_event_id="0123:3", accept=accept)
    assert names(found) == ["opened", "gap", "snapshot", "caught_up", "end"]
    gap = found[1]
    assert (gap.id, gap.data["reason"], gap.data["epoch"], gap.data["cursor"]) == (
        "",
        "EPOCH_CHANGED",
        "0123",
        "3",
    )

    refused = await web.get(f"{path}?on_gap=fail", headers={"last-event-id": "0123:3", "accept": accept})
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")


@pytest.mark.parametrize("accept", FRAMINGS.values())
async def test_a_trimmed_log(tmp_path: Path, forkery: Forkery, accept: str) -> None:
    """Dropped events are a gap, too, even for a request of the whole log; the same over many jobs."""
    options = ("--max-events", "100", "--sweep-interval", "0.05")
    with ServerProcess(tmp_path / "data", *options, forkery=forkery, http=True) as server:
        async with connect(server.address) as rpc, http_client(server.url) as web:
            job_id = await ended_job(rpc, 400)

            async def is_trimmed() -> bool:
                response = await web.get(f"/v1/jobs/{job_id}")
                return int(response.json()["job"]["firstSequence"]) > 10

            await eventually(is_trimmed)
            for headers in ({}, {"last_event_id": f"{server.epoch}:3"}):
                found = await all_records(web, f"/v1/jobs/{job_id}:watch", accept=accept, **headers)
                assert names(found)[:3] == ["opened", "gap", "snapshot"]
                assert (found[1].data["reason"], names(found)[-1]) == ("SEQUENCE_TRIMMED", "end")
            refused = await web.get(f"/v1/jobs/{job_id}:watch?on_gap=fail", headers={"accept": accept})
            assert (refused.status_code, refused.json()["error"]["status"]) == (400, "OUT_OF_RANGE")
            many = f"/v1/jobs:watch?filter.kinds={rpc.kind}&no_follow=true&after_position=1"
            found = await all_records(web, many, accept=accept)
            assert names(found) == ["opened", "gap", "snapshot", "caught_up", "end"]


async def test_ids_that_are_none(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """An id that this stream never gave is refused, rather than taken for another one."""
    job = await rpc.submit()
    for given in ("7", "epoch:", ":7", "epoch:x", "epoch:-1", f"epoch:{1 << 63}"):
        refused = await web.get(f"/v1/jobs/{job.job_id}:watch", headers={"last-event-id": given})
        assert refused.status_code == 400
        assert "Last-Event-ID" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", SSE),
        ("text/*", SSE),
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/event-stream;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("application/*, */*;q=0.1", "application/x-ndjson"),
        ("TEXT/EVENT-STREAM ; q=1.000", SSE),
        ("text/event-stream;q=0.001, application/x-ndjson;q=nan", SSE),
        ("text/event-stream;q=inf", None),
        ("text/event-stream;q=1.5", None),
        ("text/html", None),
        ("text/event-stream;q=0", None),
    ],
)
async def test_what_the_client_accepts(
    web: httpx.AsyncClient, rpc: Rpc, accept: str, media_type: str | None
) -> None:
    """The client gets the form that its `Accept` prefers, and 400 if there is none."""
    response = await web.get(f"/v1/jobs/{await ended_job(rpc, 0)}:watch", headers={"accept": accept})

    assert response.headers["content-type"] == (media_type or "application/json")
    assert response.status_code == (400 if media_type is None else 200)


async def test_headers_of_a_stream(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """HEAD has those of the stream, or the error that it would begin with."""
    job_id = await ended_job(rpc)
    found, many, missing = [
        await web.head(path)
        for path in (f"/v1/jobs/{job_id}:watch", "/v1/jobs:watch", "/v1/jobs/missing:watch")
    ]
    assert [each.status_code for each in (found, many, missing)] == [200, 200, 404]
    elsewhere = {"last-event-id": "other:1"}
    refused, bridged = [
        await web.head(f"/v1/jobs/{job_id}:watch?on_gap={on_gap}", headers=elsewhere)
        for on_gap in ("FAIL", "SNAPSHOT")
    ]
    stream = await web.get(f"/v1/jobs/{job_id}:watch?on_gap=FAIL", headers=elsewhere)
    assert stream.json()["error"]["details"][0]["reason"] == "EPOCH_CHANGED"
    assert (refused.status_code, bridged.status_code) == (stream.status_code, 200)
    assert (found.headers["content-type"], found.content) == (SSE, b"")
