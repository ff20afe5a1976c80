"""FastAPI with pages in plain JavaScript: its users submit jobs, see them live, and cancel them.

MILEPOST_ADDRESS=127.0.0.1:7070 uvicorn examples.web.fastapi_page:app
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.requests import Request

from milepost.client import Client
from milepost.web import ClientCall, milepost_app

client = Client()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with client:
        yield


def authorize(request: Request, call: ClientCall) -> bool:
    # Here it would ask who is logged in, and whose job it is.
    return call.method in ("GetJob", "WatchJob", "CancelJob")


app = FastAPI(lifespan=lifespan)
app.mount("/milepost", milepost_app(client, authorize=authorize))

PAGE = """<!doctype html>
<title>Job</title>
<h1></h1>
<progress max="1" value="0"></progress>
<button>Cancel</button>
<ol></ol>
<script type="module">
  const job = `/milepost/v1/jobs/${location.pathname.split("/").pop()}`;
  const show = (state) => { document.querySelector("h1").textContent = state.replace("JOB_STATE_", ""); };
  const bar = document.querySelector("progress");
  const source = new EventSource(`${job}:watch?start=snapshot`);
  const on = (name, handle) => source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  on("snapshot", ({ job }) => { show(job.state); bar.value = job.fraction ?? 0; });
  on("job_started", () => show("RUNNING"));
  on("stage_progressed", ({ stageProgressed }) => { bar.value = stageProgressed.current / stageProgressed.total; });
  on("log_written", ({ logWritten }) => {
    const line = document.createElement("li");
    line.textContent = logWritten.text;
    document.querySelector("ol").append(line);
  });
  on("cancel_requested", () => show("CANCELLING"));
  on("job_ended", ({ jobEnded }) => show(jobEnded.state));
  on("end", () => source.close());
  document.querySelector("button").onclick = () => fetch(`${job}:cancel`, { method: "POST" });
</script>
"""


@app.get("/")
async def home() -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><title>Jobs</title><form method="post"><button>Count to ten</button></form>'
    )


@app.post("/")
async def submit() -> RedirectResponse:
    job = await client.submit("count", {"to": 10})
    return RedirectResponse(f"/jobs/{job.job_id}", status_code=303)


@app.get("/jobs/{job_id}")
async def page(job_id: str) -> HTMLResponse:
    return HTMLResponse(PAGE)
