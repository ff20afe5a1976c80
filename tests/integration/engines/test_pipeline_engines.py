"""Pipelines under each engine, in processes of their own: what their functions rely on is the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.client import Client
from milepost.client.engines import Pipeline
from milepost.client.errors import JobCancelled, JobFailed
from milepost.v1 import JobState
from tests.support.multitrack import names_in
from tests.support.pipeline_jobs import pipeline as jobs
from tests.support.rpc import eventually
from tests.support.running_engine import running_engine, use_engine
from tests.support.server import Server

# They start processes for each kind, so `make nightly` runs them; test_pipeline.py has the rules under a worker of the
# test's own process.
pytestmark = pytest.mark.nightly

ENGINES = ["worker", "celery", "hatchet"]


@pytest.fixture(scope="module", params=ENGINES)
def environment(
    request: pytest.FixtureRequest, shared_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """An engine that runs the jobs; the environment that leads to it."""
    engine: str = request.param
    directory = tmp_path_factory.mktemp(engine)
    module, kinds = "tests.support.pipeline_jobs", len(jobs.kinds)
    with running_engine(engine, directory, shared_server.address, module, kinds) as environment:
        yield environment


@pytest.fixture
def pipeline(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The pipeline, to submit to that engine."""
    use_engine(environment, monkeypatch)
    submitting = Pipeline(concurrency=2)
    submitting._functions.update(jobs._functions)
    return submitting


async def test_functions_and_their_children_run_and_are_retried(
    client: Client, pipeline: Pipeline, tmp_path: Path
) -> None:
    """Async and plain ones, nested; a retry takes the results of the children that succeeded."""
    log = tmp_path / "log"

    job = await pipeline.submit("engines.family", {"fails": True, "log": str(log)}, labels={"team": "audio"})

    assert await client.result(job.job_id, timeout=120) == {"sum": 106, "attempt": 2, "shadow": False}
    assert sorted(log.read_text().split()) == [f"{job.job_id}-one-inner", f"{job.job_id}-two"]
    ended = await client.get(job.job_id)
    assert dict(ended.labels) == {"milepost.dev/engine": pipeline.engine, "team": "audio"}
    inner = await client.get(f"{job.job_id}-one-inner")
    assert (inner.parent_job_id, dict(inner.labels)) == (
        f"{job.job_id}-one",
        {"milepost.dev/engine": pipeline.engine, "milepost.dev/child": "inner"},
    )


async def test_more_parents_than_places_do_not_block_their_children(
    client: Client, pipeline: Pipeline
) -> None:
    """A kind has places of its own."""
    families = [await pipeline.submit("engines.family") for _ in range(4)]

    assert [(await client.result(job.job_id, timeout=120))["sum"] for job in families] == [106] * 4


async def test_a_final_failure_is_not_retried(client: Client, pipeline: Pipeline) -> None:
    """Its code and text are those of the function."""
    job = await pipeline.submit("engines.async", {"n": -1})

    with pytest.raises(JobFailed) as failed:
        await client.result(job.job_id, timeout=120)

    failure = failed.value.failure
    assert (failure.code, failure.message) == ("TRACK_DAMAGED", "Attempt 1 met a damaged track.")
    assert (await client.get(job.job_id)).attempt == 1


async def test_a_cancelled_parent_stops_with_its_child(
    client: Client, pipeline: Pipeline, tmp_path: Path
) -> None:
    """Both clean up, and both are CANCELLED."""
    job = await pipeline.submit("engines.family", {"hold": str(tmp_path)})

    async def started() -> bool:
        return "started" in names_in(tmp_path)

    await eventually(started)
    await client.cancel(job.job_id)

    with pytest.raises(JobCancelled):
        await client.result(job.job_id, timeout=120)
    assert (await client.get(f"{job.job_id}-held")).state == JobState.JOB_STATE_CANCELLED
    assert names_in(tmp_path) == ["child-cleaned", "parent-cleaned", "started"]


async def test_a_repeated_submission_runs_once(client: Client, pipeline: Pipeline, tmp_path: Path) -> None:
    """Also after the job has ended."""
    log = tmp_path / "log"
    job_input = {"n": 4, "log": str(log)}
    jobs = []
    for _ in range(2):
        jobs.append(
            await pipeline.submit(
                "engines.async", job_input, request_id=f"once-{tmp_path.name}-{pipeline.engine}"
            )
        )
        assert await client.result(jobs[-1].job_id, timeout=120) == {"n": 8}

    assert jobs[0].job_id == jobs[1].job_id
    assert log.read_text() == f"{jobs[0].job_id}\n"
