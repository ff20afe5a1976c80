"""Load pages in a real Chromium with an empty cache: first paint, and the moment at which they show what is known."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import grpc

from bench import replay, work
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import Load, MeasurementFailed, Server, milepost
from milepost.v1 import Dispatch, Stage, SubmitJobRequest, WatchJobRequest
from milepost.v1.job_service_pb2_grpc import JobServiceStub

__all__ = ["measure"]

_WEB: Final = Path(__file__).parents[2] / "web"

_LOADS: Final = 5
"""Loads of a round, each in a window of its own; the round has their median."""

_SECONDS: Final = 15.0
"""Time limit of a page, so that the largest job and four pages take less than three minutes together."""

_STAGES: Final = 1000
_JOBS: Final = 500

_JOB_SHOWN: Final = "[part=state]"
_LIST_SHOWN: Final = "a.row"


def measure(settings: Settings) -> list[Figure]:
    """A small job, one of 1,000 stages, one of many events, and the list of 500 jobs."""
    if shutil.which("node") is None or not (_WEB / "node_modules").exists():
        raise MeasurementFailed("This needs Node and its packages: run `make web`.")
    settings = replace(settings, seconds=min(settings.seconds, _SECONDS))
    events = 1_000_000 if settings.full else 20_000
    data = settings.directory / "pages"
    figures = []
    with Load.start() as load, milepost(data, "--http", "127.0.0.1:0") as server:
        long = _write_log(load, server, events)
        pages = {
            "the page of a job of five stages": (f"jobs/{work.submit(server.address)}", _JOB_SHOWN),
            f"the page of a job of {_STAGES:,} stages": (f"jobs/{_submit_large(server)}", _JOB_SHOWN),
            f"the page of a job of {events:,} events": (f"jobs/{long}", _JOB_SHOWN),
            f"the list of {_JOBS:,} jobs": ("", _LIST_SHOWN),
        }
        _submit_many(server)
        for what, (path, shown) in pages.items():
            address = f"{server.url}/{path}"
            _run_round(address, shown, loads=1)  # warms up
            figures += rounds(what, {OURS: partial(_run_round, address, shown)}, settings, warm=False)
    return figures


def _run_round(address: str, shown: str, loads: int = _LOADS) -> Round:
    done = subprocess.run(
        ["node", "testing/paint.mjs", address, shown, str(loads)],
        cwd=_WEB,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise MeasurementFailed(f"Chromium did not load {address}:\n{done.stderr}")
    loaded = [json.loads(line) for line in done.stdout.splitlines()]

    def median(name: str) -> float:
        return statistics.median(float(load[name]) for load in loaded)

    return {
        "first paint, ms": median("firstPaintMs"),
        "shows what is known, ms": median("shownMs"),
        # As Lighthouse counts it: what tasks of the page take beyond 50 ms each.
        "blocked, ms": median("blockedMs"),
    }


def _write_log(load: Load, server: Server, events: int) -> str:
    log = replay.Log("", events, batch=500, window=20, cases=())
    request, _ = replay.write(load, server, log)
    return WatchJobRequest.FromString(request).job_id


def _submit_large(server: Server) -> str:
    stages = [Stage(stage_id=f"stage-{number}", total=10) for number in range(_STAGES)]
    request = SubmitJobRequest(kind="large", stages=stages, dispatch=Dispatch.DISPATCH_EXTERNAL)
    with grpc.insecure_channel(server.address) as channel:
        return JobServiceStub(channel).SubmitJob(request, timeout=10).job.job_id


def _submit_many(server: Server) -> None:
    with grpc.insecure_channel(server.address) as channel:
        service = JobServiceStub(channel)
        for number in range(_JOBS):
            service.SubmitJob(SubmitJobRequest(kind=f"kind-{number % 7}", owner="team-a"), timeout=10)
