"""FastHTML with HTMX: the server renders the job, and HTMX swaps in what it sends.

npm install --no-save htmx.org@2 htmx-ext-sse
MILEPOST_ADDRESS=127.0.0.1:7070 uvicorn examples.web.fasthtml_htmx:app
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import fasthtml.common as fh
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from milepost.client import Client, JobSnapshot
from milepost.contract.job_states import has_ended, state_name
from milepost.web.sse import event_response

client = Client()


async def lifespan(_: fh.FastHTML) -> AsyncIterator[None]:
    async with client:
        yield


SCRIPTS = ("/scripts/htmx.org/dist/htmx.min.js", "/scripts/htmx-ext-sse/dist/sse.min.js")
app = fh.FastHTML(
    default_hdrs=False,
    hdrs=[fh.Script(src=script) for script in SCRIPTS],
    lifespan=lifespan,
    secret_key=secrets.token_hex(),
)
app.mount("/scripts", StaticFiles(directory=Path(os.environ.get("NODE_MODULES", "node_modules"))))


def rendered(job: JobSnapshot) -> str:
    # FastHTML escapes texts, which are somebody else's.
    stages = [fh.Li(f"{stage.title or stage.stage_id}: {stage.current:g}") for stage in job.stages]
    parts = [fh.H1(state_name(job)), fh.Progress(value=job.fraction), fh.Ol(*stages)]
    if not has_ended(job):
        parts.append(fh.Button("Cancel", hx_post=f"/jobs/{job.job_id}/cancel", hx_swap="none"))
    return "".join(map(fh.to_xml, parts))


@app.get("/")
async def home() -> Any:
    return fh.Titled("Jobs", fh.Form(fh.Button("Count to ten"), method="post"))


@app.post("/")
async def submit() -> Response:
    job = await client.submit("count", {"to": 10})
    return RedirectResponse(f"/jobs/{job.job_id}", status_code=303)


@app.get("/jobs/{job_id}")
async def page(job_id: str) -> Any:
    events = f"/jobs/{job_id}/events"
    return fh.Titled("Job", fh.Div(hx_ext="sse", sse_connect=events, sse_swap="message", sse_close="end"))


@app.get("/jobs/{job_id}/events")
async def events(request: Request, job_id: str) -> Response:
    return await event_response(request, client, job_id, render=rendered)


@app.post("/jobs/{job_id}/cancel")
async def cancel(job_id: str) -> Response:
    await client.cancel(job_id, reason="by a click")
    return Response(status_code=204)
