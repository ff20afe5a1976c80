"""The recipes of docs/recipes.md, each run as it is, with a real backend where it needs one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis
from rq import Queue

from milepost.client import Client
from milepost.client.errors import JobCancelled, JobFailed
from milepost.v1 import Dispatch, JobState
from tests.support.command import environment
from tests.support.ports import free_port
from tests.support.recipe_runs import LONG, check_script, first_id, running, until_progress
from tests.support.redis_server import RedisServer
from tests.support.server import Server

REPOSITORY: Final = Path(__file__).parents[3]


@pytest.fixture
def settings(shared_server: Server) -> dict[str, str]:
    """The environment of a recipe, without a broker."""
    return environment(shared_server.address, {"PYTHONPATH": str(REPOSITORY)})


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server for the recipes that need one."""
    with RedisServer(tmp_path_factory.mktemp("redis") / "data") as server:
        yield server


def submitted(recipe: str, settings: Mapping[str, str], *inputs: Mapping[str, Any]) -> list[str]:
    """Submit jobs as the recipe does, in a process of its own; return their ids."""
    code = (
        f"import json, sys; from examples.recipes.{recipe} import submit\n"
        "print(*map(submit, json.loads(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, json.dumps(inputs)]
    return subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout.split()


def submitted_by_program(recipe: str, settings: Mapping[str, str]) -> str:
    """Run the recipe as a program, as it says; return the id of its job."""
    command = [sys.executable, "-m", f"examples.recipes.{recipe}"]
    return subprocess.run(command, env=settings, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


async def check_under_workers(client: Client, recipe: str, settings: Mapping[str, str]) -> None:
    """The same of each recipe with workers: its command, success, retries, giving up, both kinds of cancelling."""
    assert await client.result(submitted_by_program(recipe, settings), timeout=120) == {"pages": 5}

    work = {"pages": 3}
    good, retried, failing = submitted(
        recipe, settings, work, {**work, "failures": 2}, {**work, "failures": 9}
    )
    assert await client.result(good, timeout=120) == {"pages": 3}
    assert await client.result(retried, timeout=120) == {"pages": 3}
    with pytest.raises(JobFailed):
        await client.result(failing, timeout=120)
    assert [(await client.get(job_id)).attempt for job_id in (good, retried, failing)] == [1, 3, 3]

    running, queued, last = submitted(recipe, settings, LONG, LONG, work)
    await until_progress(client, running)
    for job_id in (queued, running):
        await client.cancel(job_id, grace_period=60)
    for job_id in (queued, running):
        with pytest.raises(JobCancelled):
            await client.result(job_id, timeout=120)
    assert not (await client.get(running)).cancellation.forced
    # Neither the one nor the other keeps the worker from the next one.
    assert await client.result(last, timeout=120) == {"pages": 3}


@pytest.mark.nightly
async def test_rq(client: Client, redis: RedisServer, settings: dict[str, str], tmp_path: Path) -> None:
    """Each task runs in a process that the worker forks."""
    settings |= {"REDIS_URL": f"{redis.url}/1"}
    with running("rq", "worker", "--url", settings["REDIS_URL"], settings=settings, directory=tmp_path):
        await check_under_workers(client, "with_rq", settings)


@pytest.mark.nightly
async def test_dramatiq(client: Client, redis: RedisServer, settings: dict[str, str], tmp_path: Path) -> None:
    """Actors run in a thread of a worker process."""
    settings |= {"REDIS_URL": f"{redis.url}/2"}
    command = ("dramatiq", "examples.recipes.with_dramatiq", "--processes", "1", "--threads", "1")
    with running(*command, settings=settings, directory=tmp_path):
        await check_under_workers(client, "with_dramatiq", settings)


@pytest.mark.nightly
async def test_dbos(client: Client, settings: dict[str, str], tmp_path: Path) -> None:
    """With its state in SQLite."""
    await check_script(client, ("python", "-m", "examples.recipes.with_dbos"), settings, tmp_path)


@pytest.mark.nightly
async def test_dbos_after_a_crash(client: Client, settings: dict[str, str], tmp_path: Path) -> None:
    """A killed process leaves its workflow, which the next one goes on with: it takes the same job over at once, long
    before the lease is over, and that is no failure.
    """
    command = ("python", "-m", "examples.recipes.with_dbos")
    work = {"pages": 200, "seconds": 0.02}
    with running(*command, json.dumps(work), settings=settings, directory=tmp_path) as process:
        job_id = first_id(process)
        await until_progress(client, job_id)
        process.kill()
    with running(*command, json.dumps({"pages": 1}), settings=settings, directory=tmp_path) as process:
        assert await client.result(job_id, timeout=120) == {"pages": 200}
        out, _ = process.communicate()
        assert process.returncode == 0
    job = await client.get(job_id)
    assert (job.attempt, job.failed_attempts) == (2, 0)
    assert job_id not in out  # the submission is a step that is not repeated


async def test_futures(client: Client, settings: dict[str, str], tmp_path: Path) -> None:
    """Several at once: one succeeds, one is retried, one gives up, one is cancelled."""
    inputs = [{"pages": 3}, {"pages": 3, "failures": 2}, {"pages": 3, "failures": 9}, LONG]
    command = ("python", "-m", "examples.recipes.with_futures", json.dumps(inputs))
    with running(*command, settings=settings, directory=tmp_path) as process:
        assert process.stdout is not None
        ids = process.stdout.readline().split()
        await until_progress(client, ids[3])
        await client.cancel(ids[3], grace_period=60)
        out, _ = process.communicate()
    jobs = [(await client.get(job_id)) for job_id in ids]
    assert [(JobState.Name(job.state).removeprefix("JOB_STATE_"), job.attempt) for job in jobs] == [
        ("SUCCEEDED", 1),
        ("SUCCEEDED", 3),
        ("FAILED", 3),
        ("CANCELLED", 1),
    ]
    assert out.splitlines() == [
        f"{ids[0]} {{'pages': 3}}",
        f"{ids[1]} {{'pages': 3}}",
        f"{ids[2]} OSError",
        f"{ids[3]} Cancelled",
    ]
    assert process.returncode == 0


async def test_cron(client: Client, settings: dict[str, str], tmp_path: Path) -> None:
    """A run is a job; a second one at the same time leaves it to the first; cancelling ends it."""
    command = ("python", "-m", "examples.recipes.from_cron")
    with running(*command, json.dumps({"pages": 3}), settings=settings, directory=tmp_path) as process:
        assert await client.result(first_id(process), timeout=120) == {"pages": 3}
        assert process.wait() == 0
    with running(*command, json.dumps(LONG), settings=settings, directory=tmp_path) as first:
        job_id = first_id(first)
        await until_progress(client, job_id)
        with running(*command, json.dumps(LONG), settings=settings, directory=tmp_path) as second:
            assert (second.wait(), second.stdout and second.stdout.read()) == (0, "")
        assert "has not ended yet" in (tmp_path / "log").read_text()
        await client.cancel(job_id, grace_period=60)
        assert first.wait() == 130
    assert (await client.get(job_id)).state == JobState.JOB_STATE_CANCELLED
    with running(
        *command, json.dumps({"failures": 1, "pages": 1}), settings=settings, directory=tmp_path
    ) as failing:
        job_id = first_id(failing)
        assert failing.wait() == 1
    assert (await client.get(job_id)).failure.message == "The disk is full."


def test_cron_without_milepost(settings: dict[str, str], tmp_path: Path) -> None:
    """The script does its work, exits with its own status, and says once that nothing is reported."""
    unreachable = settings | {"MILEPOST_ADDRESS": f"127.0.0.1:{free_port()}"}
    command = ("python", "-m", "examples.recipes.from_cron", json.dumps({"pages": 3}))
    with running(*command, settings=unreachable, directory=tmp_path) as process:
        assert process.wait() == 0


async def test_a_task_that_is_delivered_twice(
    client: Client, redis: RedisServer, settings: dict[str, str], tmp_path: Path
) -> None:
    """The second delivery finds the job ended, and does nothing."""
    job = await client.submit("convert", {"pages": 1}, dispatch=Dispatch.DISPATCH_EXTERNAL)
    url = f"{redis.url}/3"
    with Redis.from_url(url) as connection:
        queue = Queue(connection=connection)
        for _ in range(2):
            queue.enqueue("examples.recipes.with_rq.convert_pages", job.job_id)
        with running(
            "rq", "worker", "--url", url, "--burst", settings=settings, directory=tmp_path
        ) as worker:
            assert worker.wait() == 0
        done = queue.finished_job_registry.count, queue.failed_job_registry.count
    assert (done, (await client.get(job.job_id)).attempt) == ((2, 0), 1)


def test_every_recipe_is_documented() -> None:
    """docs/recipes.md names each file."""
    text = (REPOSITORY / "docs" / "recipes.md").read_text()
    recipes = {path.name for path in (REPOSITORY / "examples" / "recipes").glob("[a-z]*_*.py")}
    assert set(re.findall(r"examples/recipes/(\w+_\w+\.py)", text)) == recipes
