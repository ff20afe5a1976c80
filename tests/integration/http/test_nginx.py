"""Streams through nginx with its default settings, which gather responses in buffers, and speak HTTP/1.0 to servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing

import pytest

from milepost.v1 import WatchJobRequest
from tests.support.connect_client import ConnectJobs
from tests.support.http_watch import FRAMINGS, http_client, records
from tests.support.nginx import nginx
from tests.support.rpc import Rpc, log_line, succeeded
from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, web_server: ServerProcess) -> Iterator[str]:
    """The URL of nginx in front of the server."""
    with nginx(tmp_path_factory.mktemp("nginx"), web_server.url) as url:
        yield url


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_events_arrive_as_they_happen(proxy: str, rpc: Rpc, framing: str) -> None:
    """Each is here before the next one happens; the stream is whole, and resumes through the proxy, too."""
    headers = {"accept": FRAMINGS[framing]}
    async with rpc.session(kinds=[rpc.kind]) as session, http_client(proxy, timeout=120) as client:
        job_id = (await rpc.submit()).job_id
        _, token = await session.take()
        path = f"/v1/jobs/{job_id}:watch"
        async with (
            client.stream("GET", path, headers=headers) as response,
            aclosing(records(response)) as received,
        ):
            while (await anext(received)).name != "caught_up":
                pass
            last = ""
            for number in range(1, 6):
                await session.report(job_id, token, number, log_line(f"line {number}"))
                record = await anext(received)
                assert (record.name, record.data["logWritten"]["text"]) == ("log_written", f"line {number}")
                last = record.id
            await session.report(job_id, token, 6, succeeded())
            assert [record.name async for record in received] == ["job_ended", "end"]
        assert response.headers.get("content-encoding") is None
        resumed = await client.get(path, headers={**headers, "last-event-id": last})
        names = [record.name async for record in records(resumed)]

    assert names == ["opened", "job_ended", "caught_up", "end"]


async def test_connect(proxy: str, rpc: Rpc) -> None:
    """Calls and streams, each event before the next one."""
    async with rpc.session(kinds=[rpc.kind]) as session, ConnectJobs(proxy, "proto") as jobs:
        job_id = (await rpc.submit()).job_id
        _, token = await session.take()
        watch = jobs.watch("WatchJob", WatchJobRequest(job_id=job_id))
        while not (await anext(watch)).HasField("caught_up"):
            pass
        for number in range(1, 4):
            await session.report(job_id, token, number, log_line(f"line {number}"))
            (event,) = (await anext(watch)).events.events
            assert event.log_written.text == f"line {number}"
        await session.report(job_id, token, 4, succeeded())
        (event,) = (await anext(watch)).events.events

    assert event.HasField("job_ended")


async def test_a_page_behind_the_proxy_changes_what_it_may(proxy: str, rpc: Rpc) -> None:
    """Nginx gives the server another host than that of the page, and the page is of the same site all the same."""
    job_id = (await rpc.submit()).job_id
    page = {"origin": proxy, "sec-fetch-site": "same-origin"}
    other = {"origin": "https://evil.test", "sec-fetch-site": "cross-site"}
    async with http_client(proxy) as client:
        refused = await client.post(f"/v1/jobs/{job_id}:cancel", headers=other)
        allowed = await client.post(f"/v1/jobs/{job_id}:cancel", headers=page)

    assert (refused.status_code, allowed.status_code) == (403, 200)
    assert allowed.json()["job"]["state"] == "JOB_STATE_CANCELLED"


async def test_below_a_path(proxy: str, rpc: Rpc) -> None:
    """Calls, streams and the description are there as well, and the description says where it is."""
    job_id = (await rpc.submit()).job_id
    await rpc.cancel(job_id)
    async with http_client(f"{proxy}/milepost") as client:
        job = (await client.get(f"/v1/jobs/{job_id}")).json()["job"]
        stream = await client.get(f"/v1/jobs/{job_id}:watch")
        described = await client.get("/v1/openapi.json")
        (server,) = described.json()["servers"]
        whoami = await client.get(f"{described.url.join(server['url'])}v1/whoami")

    assert job["state"] == "JOB_STATE_CANCELLED"
    assert [record.name async for record in records(stream)][-1] == "end"
    assert whoami.json()["subject"] == "anonymous"
