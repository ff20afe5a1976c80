"""Programs of docs/recipes.md, and what each of them has to do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from milepost.client import Client
from milepost.v1 import Job, JobState

__all__ = ["LONG", "check_script", "first_id", "running", "until_progress"]

LONG: Final = {"pages": 10_000, "seconds": 0.01}
"""A job that runs until it is cancelled."""

PROGRAMS: Final = Path(sys.executable).parent
"""Where the programs of this virtual environment are."""


@contextmanager
def running(
    *command: str, settings: Mapping[str, str], directory: Path, programs: Path = PROGRAMS
) -> Iterator[subprocess.Popen[str]]:
    """Run a program of a virtual environment; end it, by SIGTERM, if it still runs."""
    program = programs / command[0]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            [program, *command[1:]],
            env=settings,
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def until_progress(client: Client, job_id: str) -> None:
    """Wait until the job has converted a page."""
    async with client.watch(job_id, payloads=["stage_progressed"]) as watch:
        async for event in watch:
            if event.stage_progressed.current >= 1:
                return


async def ended(client: Client, job_id: str) -> Job:
    """Wait for the end of the job; the job then."""
    last = Job()
    async for job in client.follow(job_id):
        last = job.proto
    return last


async def check_script(
    client: Client,
    command: tuple[str, ...],
    settings: Mapping[str, str],
    directory: Path,
    programs: Path = PROGRAMS,
) -> None:
    """The same of each recipe that runs the work in its own process: success, retries, giving up, and cancelling."""
    for number, (input_values, state, attempt) in enumerate(
        [
            ({"pages": 3}, JobState.JOB_STATE_SUCCEEDED, 1),
            ({"pages": 3, "failures": 2}, JobState.JOB_STATE_SUCCEEDED, 3),
            ({"pages": 3, "failures": 9}, JobState.JOB_STATE_FAILED, 3),
            (LONG, JobState.JOB_STATE_CANCELLED, 1),
        ]
    ):
        place = directory / str(number)
        place.mkdir()
        arguments = (*command, json.dumps(input_values))
        with running(*arguments, settings=settings, directory=place, programs=programs) as process:
            job_id = first_id(process)
            if state == JobState.JOB_STATE_CANCELLED:
                await until_progress(client, job_id)
                await client.cancel(job_id, grace_period=60)
            job = await ended(client, job_id)
            process.communicate()
        assert (JobState.Name(job.state), job.attempt) == (JobState.Name(state), attempt)
        assert not job.cancellation.forced
        assert (process.returncode == 0) == (state != JobState.JOB_STATE_FAILED)


def first_id(process: subprocess.Popen[str]) -> str:
    """The id of the job, which the recipe prints before it begins."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", line.strip()):
            return found[0]
    raise AssertionError("The recipe has ended without the id of a job.")
