"""The pages of ``examples/web``, and the events of one's own HTML that one of them is made of."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from examples.web.counting import count
from milepost.client import Client, JobSnapshot
from milepost.v1 import DeleteJobRequest, Dispatch
from milepost.web import sse
from milepost.web.sse import event_stream, server_sent_event
from tests.support.command import environment
from tests.support.http_watch import http_client
from tests.support.ports import free_port, give_back
from tests.support.rpc import connect, eventually
from tests.support.server import ServerProcess
from tests.support.working import working

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def running(name: str, server: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    """The application of this example, in a process of its own, and a browser that follows redirects."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", f"examples.web.{name}:app", "--port", str(port)),
        *("--timeout-graceful-shutdown", "1"),
        cwd=ROOT,
        env=environment(server.address, {"NODE_MODULES": str(ROOT)}),
    )
    try:
        async with http_client(f"http://127.0.0.1:{port}", follow_redirects=True) as web:

            async def is_there() -> bool:
                try:
                    return (await web.get("/")).status_code == 200
                except httpx.ConnectError:
                    return False

            await eventually(is_there)
            yield web
    finally:
        process.terminate()
        await process.wait()
        give_back(port)


async def submitted(web: httpx.AsyncClient) -> str:
    """Press the button; return the id of the job whose page comes."""
    assert "<button>" in (await web.get("/")).text
    page = await web.post("/")
    assert page.status_code == 200
    return page.url.path.rpartition("/")[2]


async def test_fastapi(web_server: ServerProcess) -> None:
    """Its users may look at jobs and cancel them, and nothing else."""
    async with (
        running("fastapi_page", web_server) as web,
        working(web_server.address, count=count),
    ):
        job = f"/milepost/v1/jobs/{await submitted(web)}"
        assert (await web.get(job)).json()["job"]["kind"] == "count"
        assert (await web.get("/milepost/v1/jobs")).status_code == 403
        assert (await web.post("/milepost/v1/jobs", json={"kind": "count"})).status_code == 403
        assert (await web.post(f"{job}:cancel")).status_code == 200
        events = (await web.get(f"{job}:watch?start=snapshot")).text
    assert "event: snapshot" in events
    assert "JOB_STATE_CANCELLED" in events
    assert "event: end" in events


async def test_fasthtml(web_server: ServerProcess) -> None:
    """Each state is an event of HTML; a click cancels; a client that reconnects after the end gets 204."""
    async with (
        running("fasthtml_htmx", web_server) as web,
        working(web_server.address, count=count),
    ):
        job_id = await submitted(web)
        path = f"/jobs/{job_id}/events"
        assert f'sse-connect="{path}"' in (await web.get(f"/jobs/{job_id}")).text
        async with web.stream("GET", path) as response:
            assert response.headers["cache-control"] == "no-cache, no-transform"
            assert response.headers["x-accel-buffering"] == "no"
            lines = response.aiter_lines()
            async for line in lines:
                if "RUNNING" in line:
                    break
            assert (await web.post(f"/jobs/{job_id}/cancel")).status_code == 204
            rest = [line async for line in lines]
        assert any("<h1>CANCELLED</h1>" in line for line in rest)
        assert [line for line in rest if line][-3:-2] == ["event: end"]
        last = next(line for line in reversed(rest) if line.startswith("id: ")).removeprefix("id: ")
        back = await web.get(path, headers={"last-event-id": last})
        assert (back.status_code, back.content) == (204, b"")


async def test_jinja(web_server: ServerProcess) -> None:
    """The page has an element, whose script and whose calls come from where the application is mounted."""
    async with running("jinja_elements", web_server) as web:
        job_id = await submitted(web)
        page = (await web.get(f"/jobs/{job_id}")).text
        assert f'<milepost-job job-id="{job_id}"' in page
        script = page.partition('<script type="module" src="')[2].partition('"')[0]
        assert (await web.get(script)).headers["content-type"].startswith("text/javascript")
        assert f'href="{web.base_url.join(f"/jobs/{job_id}")}"' in (await web.get("/")).text
        listed = (await web.get("/milepost/v1/jobs")).json()["jobs"]
        assert {job["kind"] for job in listed} == {"count"}


# --- Events of one's own HTML ---------------------------------------------------------------------------------------


@pytest.fixture
async def client(web_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the server."""
    async with Client(web_server.address) as connected:
        yield connected


async def test_a_reader_whose_scope_is_cancelled(client: Client) -> None:
    """As Starlette does when the client has left: each await in it is cancelled, and the watch ends."""
    job = await client.submit("own-html", dispatch=Dispatch.DISPATCH_EXTERNAL)
    begun = anyio.Event()

    async def read() -> None:
        async for event in event_stream(client, job.job_id, render=lambda state: state.job_id):
            if "data: " in event:
                begun.set()

    before = asyncio.all_tasks()
    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await begun.wait()
        group.cancel_scope.cancel()

    async def is_over() -> bool:
        return asyncio.all_tasks() <= before

    await eventually(is_over)


async def ended(client: Client) -> JobSnapshot:
    """A job that has ended."""
    job = await client.submit("own-html", dispatch=Dispatch.DISPATCH_EXTERNAL)
    return await client.cancel(job.job_id)


async def test_states_as_events(client: Client) -> None:
    """`retry`, then each state with its id, and the end; several parts if `render` returns several."""
    job = await ended(client)
    place = f"{job.epoch}:{job.last_sequence}"

    async def render(state: JobSnapshot) -> dict[str, str]:
        return {"state": f"<b>{state.state}</b>", "id": state.job_id}

    retry, *found = [each async for each in event_stream(client, job.job_id, render=render)]
    assert retry.startswith("retry: ")
    assert found == [
        f"event: state\nid: {place}\ndata: <b>{job.state}</b>\n\n",
        f"event: id\nid: {place}\ndata: {job.job_id}\n\n",
        f"event: end\nid: {place}\ndata: CANCELLED\n\n",
    ]


async def test_who_comes_back_has_that_state(client: Client) -> None:
    """It is not sent again, but the end is."""
    job = await ended(client)
    place = f"{job.epoch}:{job.last_sequence}"

    stream = event_stream(client, job.job_id, render=lambda _: "<b></b>", last_event_id=place)
    assert [each async for each in stream][1:] == [f"event: end\nid: {place}\ndata: CANCELLED\n\n"]


async def test_a_job_that_is_not_there(client: Client, web_server: ServerProcess) -> None:
    """The stream ends with the event `end`."""
    stream = event_stream(client, "missing", render=lambda _: "<b></b>")
    assert [each async for each in stream][1:] == ["event: end\ndata: NOT_FOUND\n\n"]

    job = await ended(client)
    stream = event_stream(client, job.job_id, render=lambda _: "<b></b>")
    async with connect(web_server.address) as rpc:
        await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))
    assert [each async for each in stream][-1] == "event: end\ndata: NOT_FOUND\n\n"


async def test_comments_in_between(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet stream has comments; leaving it ends the watch."""
    job = await client.submit("own-html", dispatch=Dispatch.DISPATCH_EXTERNAL)
    stream = event_stream(client, job.job_id, render=lambda state: state.job_id)
    _, state = [await anext(stream) for _ in range(2)]
    monkeypatch.setattr(sse, "COMMENT_INTERVAL", 0.05)
    comments = [await anext(stream) for _ in range(2)]
    assert state == f"id: {job.epoch}:1\ndata: {job.job_id}\n\n"
    assert comments == [": still here\n\n"] * 2
    coming = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    coming.cancel()
    await asyncio.wait((coming,))
    await stream.aclose()


def test_lines_of_events() -> None:
    """Data may have any lines; a name or an id may not."""
    assert server_sent_event("a\nb\r\nc\rd") == "data: a\ndata: b\ndata: c\ndata: d\n\n"
    assert server_sent_event("", event="end", place="e:1") == "event: end\nid: e:1\ndata: \n\n"
    for wrong in ({"event": "a\nb"}, {"place": "a\rb"}):
        with pytest.raises(ValueError, match="one line"):
            server_sent_event("", **wrong)
