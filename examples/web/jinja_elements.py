"""Starlette with Jinja: pages rendered on the server, with an element of Milepost in them.

MILEPOST_ADDRESS=127.0.0.1:7070 uvicorn examples.web.jinja_elements:app
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.templating import Jinja2Templates

from milepost.client import Client
from milepost.web import ClientCall, milepost_app

client = Client()
templates = Jinja2Templates(Path(__file__).with_name("templates"))

ALLOWED = ("GetJob", "ListJobs", "WatchJob", "WatchJobs", "CancelJob")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with client:
        yield


def authorize(request: Request, call: ClientCall) -> bool:
    # Here it would ask who is logged in; lists show only the jobs of this page.
    if call.method == "ListJobs":
        call.request.filter.kinds[:] = ["count"]
    return call.method in ALLOWED


async def home(request: Request) -> Response:
    jobs = [job async for job in client.list(kinds=["count"])]
    return templates.TemplateResponse(request, "jobs.html", {"jobs": jobs})


async def submit(request: Request) -> Response:
    job = await client.submit("count", {"to": 10})
    return RedirectResponse(request.url_for("job", job_id=job.job_id), status_code=303)


async def job(request: Request) -> Response:
    return templates.TemplateResponse(
        request, "job.html", {"job": await client.get(request.path_params["job_id"])}
    )


app = Starlette(
    routes=[
        Route("/", home),
        Route("/", submit, methods=["POST"]),
        Route("/jobs/{job_id}", job, name="job"),
        Mount("/milepost", milepost_app(client, authorize=authorize), name="milepost"),
    ],
    lifespan=lifespan,
)
