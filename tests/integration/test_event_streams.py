"""Server-sent events and lines of JSON: what is theirs beyond the rules of watching."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from milepost.client import Client
from milepost.server.http.http_settings import HttpSettings
from milepost.server.runtime.bounded_protocol import BoundedProtocol
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import DeleteJobRequest, Dispatch, JobFilter, WatchJobsRequest
from milepost.web import milepost_app, stream_response
from tests.support.app_server import serving
from tests.support.forking import Forkery
from tests.support.http_watch import FRAMINGS, Record, http_client, records
from tests.support.rpc import Rpc, connect, eventually, log_line, succeeded
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens

SSE = FRAMINGS["sse"]


@pytest.fixture
async def rpc(web_server: ServerProcess) -> AsyncIterator[Rpc]:
    """A client of the server, by gRPC."""
    async with connect(web_server.address) as connected:
        yield connected


@pytest.fixture
async def web(web_server: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server's HTTP."""
    async with http_client(web_server.url) as client:
        yield client


@pytest.fixture
async def memory_server() -> AsyncIterator[Server]:
    """A server within the test's own loop, with its log in memory."""
    server = Server(Settings("127.0.0.1:0", None, http=HttpSettings("127.0.0.1:0")))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def ended_job(rpc: Rpc, lines: int = 2) -> str:
    """A job that has ended: submitted (1), started (2), lines, ended."""
    async with rpc.session() as session:
        job_id = (await rpc.submit()).job_id
        _, token = await session.take()
        await session.report(job_id, token, 1, *[log_line(str(n)) for n in range(lines)], succeeded())
        await session.acknowledged(lines + 1)
    return job_id


async def all_records(web: httpx.AsyncClient, path: str, **headers: str) -> list[Record]:
    """The records of a stream that ends."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with web.stream("GET", path, headers=sent) as response:
        assert response.status_code == 200, await response.aread()
        return [record async for record in records(response)]


def names(found: Sequence[Record]) -> list[str]:
    """The names of records."""
    return [record.name for record in found]


@asynccontextmanager
async def opened(web: httpx.AsyncClient, path: str, **headers: str) -> AsyncIterator[AsyncIterator[Record]]:
    """The records of a stream that goes on."""
    async with (
        web.stream(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        ) as response,
        aclosing(records(response)) as received,
    ):
        yield received


async def test_headers(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Nothing on the way may keep, gather or change what is sent; the client is told when to come back."""
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


async def test_events(web: httpx.AsyncClient, rpc: Rpc, web_server: ServerProcess) -> None:
    """Each event is one, named as its payload, with its id; the end comes by name."""
    found = await all_records(web, f"/v1/jobs/{await ended_job(rpc)}:watch")

    payloads = ["job_submitted", "job_started", "log_written", "log_written", "job_ended"]
    assert names(found) == ["opened", *payloads, "caught_up", "end"]
    assert [record.id for record in found] == [f"{web_server.epoch}:{n}" for n in (0, 1, 2, 3, 4, 5, 5, 5)]
    assert [found[3].data["logWritten"], found[3].data["sequence"]] == [{"text": "0"}, "3"]


async def test_commits_of_many_jobs(web: httpx.AsyncClient, rpc: Rpc, web_server: ServerProcess) -> None:
    """Only the last event of a commit is one to resume after: a client that is cut within it gets it as a whole."""
    await ended_job(rpc, 3)
    request = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), no_follow=True)
    expected = []
    async for frame in rpc.jobs.WatchJobs(request):
        commit = frame.events.events
        expected += [""] * (len(commit) - 1) + [f"{web_server.epoch}:{frame.events.position}"] * bool(commit)
    found = await all_records(web, f"/v1/jobs:watch?filter.kinds={rpc.kind}&no_follow=true")

    assert "" in expected
    assert [record.id for record in found if "sequence" in record.data and "jobId" in record.data] == expected


async def test_a_client_that_comes_back(web: httpx.AsyncClient, rpc: Rpc, web_server: ServerProcess) -> None:
    """Last-Event-ID goes before the parameters, which stay the same; after the end there is nothing to come: 204."""
    job_id = await ended_job(rpc)
    path = f"/v1/jobs/{job_id}:watch?start=snapshot"
    epoch = web_server.epoch
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
    """HTMX 2 does, whatever it has; with a snapshot first it has all there is each time, and the end by name."""
    path = f"/v1/jobs/{await ended_job(rpc)}:watch?start=snapshot"
    for _ in range(2):
        found = await all_records(web, path)
        assert names(found) == ["opened", "snapshot", "caught_up", "end"]
        assert found[1].data["job"]["state"] == "JOB_STATE_SUCCEEDED"
        assert [bool(record.id) for record in found] == [False, True, True, True]


@pytest.mark.parametrize("accept", FRAMINGS.values())
async def test_another_epoch(web: httpx.AsyncClient, rpc: Rpc, accept: str) -> None:
    """A cursor of another store cannot be continued: the gap is told, and a snapshot follows; or it is refused."""
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
    """What was dropped is a gap, too, also for whoever asks for the whole log; many jobs likewise."""
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
        ("text/html", None),
        ("text/event-stream;q=0", None),
    ],
)
async def test_what_the_client_accepts(
    web: httpx.AsyncClient, rpc: Rpc, accept: str, media_type: str | None
) -> None:
    """It gets what it wants most; nothing that it does not take."""
    response = await web.get(f"/v1/jobs/{await ended_job(rpc, 0)}:watch", headers={"accept": accept})

    assert response.headers["content-type"] == (media_type or "application/json")
    assert response.status_code == (400 if media_type is None else 200)


async def test_quiet_streams_have_comments(memory_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that proxies do not take them for dead; lines of JSON have none."""
    monkeypatch.setattr(stream_response, "COMMENT_INTERVAL", 0.05)
    async with Client(memory_server.address) as client, http_client(memory_server.http) as web:
        job = await client.submit("quiet", dispatch=Dispatch.DISPATCH_EXTERNAL)
        async with web.stream(
            "GET", f"/v1/jobs/{job.job_id}:watch?start=latest&status_interval=1h"
        ) as response:
            lines = response.aiter_lines()
            seen = 0
            async for line in lines:
                seen += line.startswith(":")
                if seen == 3:
                    break


async def open_watches(web: httpx.AsyncClient) -> int:
    """How many watches the client's principal has open."""
    limits = (await web.get("/v1/whoami")).json()["limits"]
    return int(next(each for each in limits if each["name"] == "watches").get("used", 0))


@pytest.mark.parametrize("accept", FRAMINGS.values())
async def test_a_client_that_leaves_and_one_whose_token_is_revoked(
    tmp_path: Path, forkery: Forkery, accept: str
) -> None:
    """A watch ends with its client, however quiet it is; and with the credential, which the client is told."""
    tokens = Tokens(tmp_path / "tokens.toml")
    ann = tokens.add("ann", ["team-a"], "submit", "read")
    root = tokens.add("root", ["*"], "admin")
    with ServerProcess(tmp_path / "data", "--tokens", str(tokens.path), forkery=forkery, http=True) as server:
        async with http_client(server.url, headers={"authorization": f"Bearer {ann}"}) as web:
            job_id = (await web.post("/v1/jobs", json={"kind": "x"})).json()["job"]["jobId"]
            path = f"/v1/jobs/{job_id}:watch"
            async with opened(web, path, accept=accept) as received:
                assert (await anext(received)).name == "opened"
                assert await open_watches(web) == 1

            async def none_is_open() -> bool:
                return await open_watches(web) == 0

            await eventually(none_is_open)
            async with opened(web, path, accept=accept) as received:
                assert (await anext(received)).name == "opened"
                tokens.remove("ann")
                failure = [record async for record in received][-1]
            assert (failure.name, failure.data["error"]["code"]) == ("failure", 401)
            assert failure.data["error"]["details"][0]["reason"] == "TOKEN_EXPIRED"
            assert (await web.get(path)).status_code == 401
            assert root


async def test_a_job_that_is_deleted(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Streams of it say so, and whoever comes back gets 404."""
    job_id = await ended_job(rpc)
    await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))

    assert (await web.get(f"/v1/jobs/{job_id}:watch", headers={"last-event-id": "e:5"})).status_code == 404


async def test_a_server_that_stops(memory_server: Server) -> None:
    """A stream ends with when to come back; a request on a connection that is still open gets no 5xx, if it is one."""
    async with Client(memory_server.address) as client, http_client(memory_server.http) as web:
        job = await client.submit("long", dispatch=Dispatch.DISPATCH_EXTERNAL)
        path = f"/v1/jobs/{job.job_id}:watch"
        async with web.stream("GET", path, headers={"accept": SSE}) as response:
            lines = response.aiter_lines()
            while await anext(lines) != "event: caught_up":
                pass
            stopping = asyncio.create_task(memory_server.stop())
            rest = [line async for line in lines]
        await stopping
        assert [line.partition(":")[0] for line in rest if line][-2:] == ["retry", ""]
        with pytest.raises(httpx.ConnectError):
            await web.get(path)


async def test_a_server_that_is_about_to_stop(memory_server: Server) -> None:
    """Who asks over a connection that it had is told to come back: EventSource within a stream, others by a code."""
    async with Client(memory_server.address) as client, http_client(memory_server.http) as web:
        job = await client.submit("long", dispatch=Dispatch.DISPATCH_EXTERNAL)
        path = f"/v1/jobs/{job.job_id}"
        assert (await web.get(path)).status_code == 200
        memory_server._admission.draining.set()
        stream = await web.get(f"{path}:watch", headers={"accept": SSE})
        refused = [
            await web.get(f"{path}:watch", headers={"accept": FRAMINGS["ndjson"]}),
            await web.get(path),
        ]
    assert stream.status_code == 200
    assert [line.partition(":")[0] for line in stream.text.splitlines() if line] == ["retry", "retry", ""]
    assert [(each.status_code, "retry-after" in each.headers) for each in refused] == [(503, True)] * 2


async def test_headers_of_a_stream(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """HEAD has those of the stream, or the error that it would begin with."""
    job_id = await ended_job(rpc)
    found, many, missing = [
        await web.head(path)
        for path in (f"/v1/jobs/{job_id}:watch", "/v1/jobs:watch", "/v1/jobs/missing:watch")
    ]
    assert [each.status_code for each in (found, many, missing)] == [200, 200, 404]
    assert (found.headers["content-type"], found.content) == (SSE, b"")


async def test_a_limit_that_passes(tmp_path: Path, forkery: Forkery) -> None:
    """EventSource gives up for good on 429, so it is told within a stream; other clients get 429."""
    options = ("--max-watches", "1")
    with ServerProcess(tmp_path / "data", *options, forkery=forkery, http=True) as server:
        async with connect(server.address) as rpc, http_client(server.url) as web:
            path = f"/v1/jobs/{(await rpc.submit()).job_id}:watch"
            async with opened(web, path) as received:
                assert (await anext(received)).name == "opened"
                (failure,) = await all_records(web, path, accept=SSE)
                refused = await web.get(path, headers={"accept": FRAMINGS["ndjson"]})
            assert (failure.name, failure.data["error"]["code"]) == ("failure", 429)
            assert (refused.status_code, "retry-after" in refused.headers) == (429, True)


async def test_a_client_that_does_not_read(memory_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its watch stands still, and the server holds no more for it than one frame and what the socket takes."""
    made: list[BoundedProtocol] = []

    connected = BoundedProtocol.connection_made

    def connection_made(connection: BoundedProtocol, transport: asyncio.BaseTransport) -> None:
        made.append(connection)
        connected(connection, transport)

    monkeypatch.setattr(BoundedProtocol, "connection_made", connection_made)
    async with connect(memory_server.address) as rpc:
        async with rpc.session() as session:
            job_id = (await rpc.submit()).job_id
            _, token = await session.take()
            for number in range(40):
                lines = [log_line("x" * 4_000) for _ in range(50)]
                await session.report(job_id, token, 50 * number + 1, *lines)
                await session.acknowledged(50 * number + 50)
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            host, _, port = memory_server.http.removeprefix("http://").rpartition(":")
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(connection, (host, int(port)))
            request = f"GET /v1/jobs/{job_id}:watch HTTP/1.1\r\nHost: {host}\r\n\r\n"
            await loop.sock_sendall(connection, request.encode())

            async def is_stalled() -> bool:
                return bool(made) and made[0].flow.write_paused

            await eventually(is_stalled)
            buffered = made[0].transport.get_write_buffer_size()
            unread = memory_server.memory.responses.used
            async with http_client(memory_server.http) as web:
                await all_records(web, f"/v1/jobs/{job_id}:watch?no_follow=true")
            assert made[0].transport.get_write_buffer_size() == buffered < 256 << 10
            assert memory_server.memory.responses.used == unread <= 256 << 10


async def test_an_application_that_is_mounted(web_server: ServerProcess, rpc: Rpc) -> None:
    """It streams under any path; a client that leaves ends its watch at the server."""
    job_id = await ended_job(rpc)
    async with Client(web_server.address) as sdk:
        app = Starlette(routes=[Mount("/deep/er", milepost_app(sdk, authorize=lambda request, call: True))])
        async with serving(app) as url, http_client(url) as web, http_client(web_server.url) as own:
            found = await all_records(web, f"/deep/er/v1/jobs/{job_id}:watch")
            direct = await all_records(own, f"/v1/jobs/{job_id}:watch")
            assert found[1:] == direct[1:]
            back = await web.get(f"/deep/er/v1/jobs/{job_id}:watch", headers={"last-event-id": found[-1].id})
            assert back.status_code == 204
