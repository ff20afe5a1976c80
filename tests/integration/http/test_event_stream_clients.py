"""Clients of event streams: those that leave, do not read, lose their token, or come while the server stops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from weakref import ReferenceType

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from milepost.client import Client
from milepost.server.runtime.http_server import bounded_protocol
from milepost.server.runtime.http_server.bounded_protocol import BoundedProtocol
from milepost.server.runtime.server import Server
from milepost.server.watching import watch_stream
from milepost.v1 import (
    Claim,
    DeleteJobRequest,
    Dispatch,
    JobFilter,
    WatchJobRequest,
    WatchJobsRequest,
)
from milepost.web import ClientCall, milepost_app, stream_response
from tests.support.app_server import serving
from tests.support.connect_watch import ConnectHttpJobs
from tests.support.event_streams import SSE, all_records, ended_job, names, opened
from tests.support.forking import Forkery
from tests.support.http_watch import FRAMINGS, HttpJobs, HttpWatch, Record, http_client
from tests.support.rotating import Rotation
from tests.support.rpc import Rpc, connect, eventually, log_line
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens


async def test_quiet_streams_have_comments(memory_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that proxies do not take them for dead; lines of JSON have none."""
    monkeypatch.setattr(stream_response, "COMMENT_INTERVAL", 0.05)
    async with Client(memory_server.address) as client, http_client(memory_server.http) as web:
        job = await client.submit("quiet", dispatch=Dispatch.DISPATCH_EXTERNAL)
        path = f"/v1/jobs/{job.job_id}:watch?start=latest&status_interval=3600s"
        accepted = [{"accept": accept} for accept in FRAMINGS.values()]
        async with (
            web.stream("GET", path, headers=accepted[0]) as sse,
            web.stream("GET", path, headers=accepted[1]) as ndjson,
        ):
            lines = sse.aiter_lines()
            for _ in range(3):
                while not (await anext(lines)).startswith(": "):
                    pass
            await client.cancel(job.job_id)
            assert [line[0] for line in [line async for line in ndjson.aiter_lines()]] == ["{"] * 6


async def test_what_is_live_is_written_at_once(
    memory_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a client has room, as a chunk that is encoded already, and not by the task of its stream."""
    taken: set[object] = set()
    write = bounded_protocol._write_chunk

    def note(of: ReferenceType[RequestResponseCycle], chunk: bytes) -> bool:
        task = asyncio.current_task()
        cycle = of()
        # The task of a stream writes its small records like this, too.
        if cycle is not None and (task is None or "run_asgi" not in repr(task)):
            taken.add(cycle.scope["client"])
        return write(of, chunk)

    monkeypatch.setattr(bounded_protocol, "_write_chunk", note)
    url = str(memory_server.http)
    async with connect(memory_server.address) as rpc, rpc.session(kinds=[]) as session:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        await session.send(claim=Claim(job_id=job.job_id))
        _, token = await session.take()
        one = WatchJobRequest(job_id=job.job_id)
        watches: list[HttpWatch] = [
            HttpJobs(url, "sse", rpc.jobs).WatchJob(one),
            HttpJobs(url, "sse", rpc.jobs).WatchJob(one),  # together with the one before
            HttpJobs(url, "ndjson", rpc.jobs).WatchJob(one),
            ConnectHttpJobs(url, "proto", rpc.jobs).WatchJob(one),
            HttpJobs(url, "sse", rpc.jobs).WatchJobs(
                WatchJobsRequest(filter=JobFilter(job_ids=[job.job_id]))
            ),
        ]

        for number in range(1, 21):
            await session.report(job.job_id, token, number, log_line(f"line {number}"))
            for watch in watches:
                while f'"line {number}"' not in str(await watch.read()):
                    pass
        for watch in watches:
            watch.cancel()
    assert len(taken) == len(watches)


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
                # It may be told to pause at the end of a frame, with which the next one then waits.
                return bool(made) and made[0].flow.write_paused and memory_server.memory.responses.used > 0

            await eventually(is_stalled)
            buffered = made[0].transport.get_write_buffer_size()
            unread = memory_server.memory.responses.used
            async with http_client(memory_server.http) as web:
                await all_records(web, f"/v1/jobs/{job_id}:watch?no_follow=true")
            assert made[0].transport.get_write_buffer_size() == buffered < 256 << 10
            assert memory_server.memory.responses.used == unread <= 256 << 10


async def test_a_client_that_leaves_an_application(tmp_path: Path, forkery: Forkery) -> None:
    """The watch that was opened for it at the server ends."""
    tokens = Tokens(tmp_path / "tokens.toml")
    ann = tokens.add("ann", ["team-a"], "submit", "read")
    with ServerProcess(tmp_path / "data", "--tokens", str(tokens.path), forkery=forkery) as server:
        async with (
            Client(server.address, token=ann) as sdk,
            serving(milepost_app(sdk, authorize=lambda request, call: True)) as url,
            http_client(url) as web,
        ):
            job = await sdk.submit("x")
            async with opened(web, f"/v1/jobs/{job.job_id}:watch") as received:
                assert (await anext(received)).name == "opened"
                assert await open_watches(web) == 1

            async def none_is_open() -> bool:
                return await open_watches(web) == 0

            await eventually(none_is_open)


async def test_a_token_of_the_application_that_is_renewed(tmp_path: Path, forkery: Forkery) -> None:
    """It is no matter of the client, whose stream ends with when to come back, and then goes on."""
    tokens = Tokens(tmp_path / "tokens.toml")
    rotation = Rotation(tokens, "app", "submit", "read", "cancel")
    with ServerProcess(tmp_path / "data", "--tokens", str(tokens.path), forkery=forkery) as server:
        async with (
            Client(server.address, token=rotation) as sdk,
            serving(milepost_app(sdk, authorize=lambda request, call: True)) as url,
            http_client(url) as web,
        ):
            job = await sdk.submit("x", dispatch=Dispatch.DISPATCH_EXTERNAL)
            path = f"/v1/jobs/{job.job_id}:watch"
            async with opened(web, path) as received:
                assert (await anext(received)).name == "opened"
                rotation.next()
                failure = [record async for record in received][-1]
            assert (failure.name, failure.data["error"]["code"]) == ("failure", 503)
            await sdk.cancel(job.job_id)
            assert names(await all_records(web, path))[-1] == "end"


async def test_an_application_that_is_mounted(web_server: ServerProcess, rpc: Rpc) -> None:
    """It streams under any path, as the server itself does."""
    job_id = await ended_job(rpc)
    async with Client(web_server.address) as sdk:
        app = Starlette(routes=[Mount("/deep/er", milepost_app(sdk, authorize=lambda request, call: True))])
        async with serving(app) as url, http_client(url) as web, http_client(web_server.url) as own:
            found = await all_records(web, f"/deep/er/v1/jobs/{job_id}:watch")
            direct = await all_records(own, f"/v1/jobs/{job_id}:watch")
            assert found[1:] == direct[1:]
            back = await web.get(f"/deep/er/v1/jobs/{job_id}:watch", headers={"last-event-id": found[-1].id})
            assert back.status_code == 204


async def test_users_of_an_application_share_a_stream(tmp_path: Path, forkery: Forkery) -> None:
    """Those of one job whom the application gives the same rights; each has what it would have alone."""
    tokens = Tokens(tmp_path / "tokens.toml")
    ann = tokens.add("ann", ["team-a"], "submit", "read", "cancel")

    def authorize(request: Request, call: ClientCall) -> bool | str:
        rights = request.headers.get("x-rights") if call.method == "WatchJob" else None
        if rights == "narrowed":
            call.request.filter.stage_ids.append("a")
        return ann if rights == "a token" else True

    with ServerProcess(tmp_path / "data", "--tokens", str(tokens.path), forkery=forkery) as server:
        async with (
            Client(server.address, token=ann) as sdk,
            serving(milepost_app(sdk, authorize=authorize)) as url,
            http_client(url) as web,
        ):
            for rights, count in (("the same", 1), ("a token", 2), ("narrowed", 2)):
                await _watch_together(sdk, web, rights, count)


async def _watch_together(sdk: Client, web: httpx.AsyncClient, rights: str, count: int) -> None:
    """Watch a job from several places, at last with these rights, by so many streams of the server."""
    job = await sdk.submit("x", dispatch=Dispatch.DISPATCH_EXTERNAL)
    path = f"/v1/jobs/{job.job_id}:watch?status_interval=3600s"
    watched: list[AsyncIterator[Record]] = []
    async with AsyncExitStack() as stack:
        for start in ("", "&start=snapshot", "&after_sequence=1", ""):
            headers = {"x_rights": rights} if len(watched) == 3 else {}
            received = await stack.enter_async_context(opened(web, path + start, **headers))
            while (await anext(received)).name != "caught_up":
                pass
            watched.append(received)

        async def are_shared() -> bool:
            return await open_watches(web) == count

        await eventually(are_shared)
        await sdk.cancel(job.job_id)
        for received in watched:
            found = [record.name async for record in received if record.name != "status"]
            assert found == ["cancel_requested", "job_ended", "end"]


async def test_ids_from_elsewhere(memory_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of another job is a gap. One ahead of the log may be there soon: EventSource comes back."""
    monkeypatch.setattr(watch_stream, "AHEAD_TIMEOUT", 0.05)
    async with connect(memory_server.address) as rpc, http_client(memory_server.http) as web:
        job, other = await rpc.submit(), await rpc.submit()
        path = f"/v1/jobs/{job.job_id}:watch"
        async with opened(web, path, last_event_id=f"{other.epoch}:1") as received:
            found = [(await anext(received)).name for _ in range(3)]
            assert found == ["opened", "gap", "snapshot"]
        ahead = {"last-event-id": f"{job.epoch}:99"}
        sse, ndjson = [await web.get(path, headers={"accept": each, **ahead}) for each in FRAMINGS.values()]
        assert [sse.status_code, ndjson.status_code] == [200, 400]
        assert (sse.text.count("retry: "), '"reason":"SEQUENCE_AHEAD"' in sse.text) == (2, True)
