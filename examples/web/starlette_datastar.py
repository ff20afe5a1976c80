"""Starlette with Datastar: the server renders the job, and Datastar merges it into the page.
Datastar 1.0, which is not on npm, says `data-init`, `data-on:click`, `datastar-patch-elements` and `elements`.

npm install --no-save @starfederation/datastar@1.0.0-beta.11
MILEPOST_ADDRESS=127.0.0.1:7070 uvicorn examples.web.starlette_datastar:app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from milepost.client import Client, JobSnapshot
from milepost.contract.job_states import has_ended, state_name
from milepost.web.sse import event_response

client = Client()
SCRIPTS = Path(os.environ.get("NODE_MODULES", "node_modules"), "@starfederation/datastar/dist")

PAGE = """<!doctype html>
<script type="module" src="/scripts/datastar.js"></script>
<main>{}</main>"""


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with client:
        yield


def rendered(job: JobSnapshot) -> Mapping[str, str]:
    stages = [f"<li>{escape(each.title or each.stage_id)}: {each.current:g}</li>" for each in job.stages]
    button = f"<button data-on-click=\"@post('{quote(f'/jobs/{job.job_id}/cancel')}')\">Cancel</button>"
    html = (
        f"<div id=job><h1>{state_name(job)}</h1><progress value={job.fraction}></progress><ol>{''.join(stages)}</ol>"
        f"{'' if has_ended(job) else button}</div>"
    )
    # On one line, as each would need the word before it.
    return {"datastar-merge-fragments": f"fragments {' '.join(html.split())}"}


async def home(request: Request) -> Response:
    if request.method == "GET":
        return HTMLResponse(PAGE.format('<form method="post"><button>Count to ten</button></form>'))
    job = await client.submit("count", {"to": 10})
    return RedirectResponse(f"/jobs/{job.job_id}", status_code=303)


async def page(request: Request) -> Response:
    # Within a script, where `escape` does not help: the browser undoes that first.
    events = quote(f"/jobs/{request.path_params['job_id']}/events")
    return HTMLResponse(PAGE.format(f"<div id=job data-on-load=\"@get('{events}')\"></div>"))


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
    Mount("/scripts", StaticFiles(directory=SCRIPTS)),
]
app = Starlette(routes=routes, lifespan=lifespan)
