"""Starlette with HTMX 4: its `hx-sse` sends the id of the last event when it comes back.

npm install --no-save htmx4@npm:htmx.org@4
MILEPOST_ADDRESS=127.0.0.1:7070 uvicorn examples.web.starlette_htmx4:app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from milepost.client import Client, JobSnapshot
from milepost.contract.job_states import has_ended, state_name
from milepost.web.sse import event_response

client = Client()

PAGE = """<!doctype html>
<script src="/scripts/htmx.min.js"></script><script src="/scripts/ext/hx-sse.min.js"></script>
<main>{}</main>"""


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with client:
        yield


def rendered(job: JobSnapshot) -> str:
    stages = "".join(
        f"<li>{escape(each.title or each.stage_id)}: {each.current:g}</li>" for each in job.stages
    )
    button = f'<button hx-post="/jobs/{escape(job.job_id)}/cancel" hx-swap="none">Cancel</button>'
    return (
        f"<h1>{state_name(job)}</h1><progress value={job.fraction}></progress><ol>{stages}</ol>"
        f"{'' if has_ended(job) else button}"
    )


async def home(request: Request) -> Response:
    if request.method == "GET":
        return HTMLResponse(PAGE.format('<form method="post"><button>Count to ten</button></form>'))
    job = await client.submit("count", {"to": 10})
    return RedirectResponse(f"/jobs/{job.job_id}", status_code=303)


async def page(request: Request) -> Response:
    events = escape(f"/jobs/{request.path_params['job_id']}/events")
    return HTMLResponse(PAGE.format(f'<div hx-sse:connect="{events}" hx-sse:close="end"></div>'))


async def events(request: Request) -> Response:
    return await event_response(request, client, request.path_params["job_id"], render=rendered)


async def cancel(request: Request) -> Response:
    await client.cancel(request.path_params["job_id"], reason="by a click")
    return Response(status_code=204)


routes = [
    Route("/", home, methods=["GET", "POST"]),
    Route("/jobs/{job_id}", page),
    Route("/jobs/{job_id}/events", events),
    Route("/jobs/{job_id}/cancel", cancel, methods=["POST"]),
    Mount(
        "/scripts", StaticFiles(directory=Path(os.environ.get("NODE_MODULES", "node_modules"), "htmx4/dist"))
    ),
]
app = Starlette(routes=routes, lifespan=lifespan)
