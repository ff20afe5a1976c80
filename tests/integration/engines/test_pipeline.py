"""Pipelines under the worker engine, with a real server: functions, child jobs, shadows."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from milepost.client import Cancelled, Client, JobContext, JobFailure
from milepost.client.engines import Pipeline, is_shadow
from milepost.client.engines._worker_engine import WorkerEngine
from milepost.client.errors import JobCancelled, JobFailed
from milepost.v1 import JobState, RetryPolicy
from tests.support.server import Server


@pytest.fixture
def kind() -> str:
    """A kind of the test's own; that of children begins with it."""
    return f"kind-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def pipeline(shared_server: Server) -> Pipeline:
    """A pipeline under the worker engine, whose jobs have three attempts without backoff."""
    return Pipeline(shared_server.address, engine="worker")


RETRIED = RetryPolicy(max_attempts=3)
RETRIED.initial_backoff.FromMilliseconds(10)


@asynccontextmanager
async def running(pipeline: Pipeline) -> AsyncIterator[None]:
    """Run the jobs of the pipeline during a block."""
    engine = pipeline.running_engine("worker")
    assert isinstance(engine, WorkerEngine)
    task = asyncio.create_task(engine.run())
    try:
        yield
    finally:
        engine.stop()
        await task


async def labels(client: Client, job_id: str) -> dict[str, str]:
    """The labels of a job."""
    return dict((await client.get(job_id)).labels)


async def test_async_and_plain_functions_run_children_of_both_kinds(
    client: Client, pipeline: Pipeline, kind: str
) -> None:
    """A child has its parent's id and name as its own id, the parent's engine, and returns its result."""

    @pipeline.job(kind)
    async def parent(job: JobContext) -> dict[str, Any]:
        first, second = await asyncio.gather(
            pipeline.run_child(job, f"{kind}.plain", {"n": 1}, name="one"),
            pipeline.run_child(job, f"{kind}.async", {"n": 2}, name="two"),
        )
        return {"children": [first, second]}

    @pipeline.job(f"{kind}.plain")
    def plain(job: JobContext) -> dict[str, Any]:
        return {"n": pipeline.run_child_blocking(job, f"{kind}.async", job.input, name="inner")["n"] * 10}

    @pipeline.job(f"{kind}.async")
    async def twice(job: JobContext) -> dict[str, Any]:
        return {"n": job.input["n"] * 2}

    async with running(pipeline):
        job = await pipeline.submit(kind)
        assert await client.result(job.job_id, timeout=120) == {"children": [{"n": 20}, {"n": 4}]}

    child = await client.get(f"{job.job_id}-one")
    assert (child.parent_job_id, dict(child.labels)) == (
        job.job_id,
        {"milepost.dev/engine": "worker", "milepost.dev/child": "one"},
    )
    assert (await client.get(f"{job.job_id}-one-inner")).parent_job_id == child.job_id


async def test_options_of_a_kind_go_with_each_submission(
    client: Client, pipeline: Pipeline, kind: str
) -> None:
    """Those of a submission replace them one by one; its labels stay beside the pipeline's own."""
    pipeline.job(kind, stages=["a", "b"], workload=3.0, workload_unit="seconds")(lambda job: None)

    job = await pipeline.submit(kind, {"x": 1}, workload=5.0, labels={"team": "audio"})

    assert [stage.stage_id for stage in job.stages] == ["a", "b"]
    assert (job.workload, job.workload_unit) == (5.0, "seconds")
    assert await labels(client, job.job_id) == {"team": "audio", "milepost.dev/engine": "worker"}


async def test_a_repeated_submission_finds_its_job_and_shadow(
    shared_server: Server, client: Client, kind: str
) -> None:
    """The same request_id never starts a second job, nor a second shadow."""
    pipeline = Pipeline(shared_server.address, engine="worker", shadow_engine="worker")
    pipeline.job(kind)(lambda job: None)

    jobs = [await pipeline.submit(kind, request_id=f"{kind}-request") for _ in range(2)]

    assert jobs[0].job_id == jobs[1].job_id
    assert {job.job_id async for job in client.list(kinds=[kind])} == {
        jobs[0].job_id,
        f"{jobs[0].job_id}-shadow",
    }


@pytest.mark.parametrize("fails", ["parent", "child"])
async def test_a_retry_takes_the_child_that_succeeded_and_replaces_the_one_that_failed(
    client: Client, pipeline: Pipeline, kind: str, fails: str
) -> None:
    """What an earlier attempt has finished is not done again."""
    ran: list[str] = []

    @pipeline.job(kind, retry_policy=RETRIED)
    async def parent(job: JobContext) -> dict[str, Any]:
        good = await pipeline.run_child(job, f"{kind}.child", {"name": "good"}, name="good")
        bad = await pipeline.run_child(job, f"{kind}.child", {"name": "bad"}, name="bad")
        if fails == "parent" and job.attempt == 1:
            raise OSError("the network was away")
        return {"good": good["at"], "bad": bad["at"]}

    @pipeline.job(f"{kind}.child")
    def child(job: JobContext) -> dict[str, Any]:
        ran.append(job.input["name"])
        if fails == "child" and ran == ["good", "bad"]:
            raise ValueError("not this time")
        return {"at": len(ran)}

    async with running(pipeline):
        job = await pipeline.submit(kind)
        result = await client.result(job.job_id, timeout=120)

    assert ran == (["good", "bad"] if fails == "parent" else ["good", "bad", "bad"])
    assert result == {"good": 1, "bad": len(ran)}
    children = {job.job_id async for job in client.list(kinds=[f"{kind}.child"])}
    expected = {f"{job.job_id}-good", f"{job.job_id}-bad"}
    assert children == (expected if fails == "parent" else {*expected, f"{job.job_id}-bad-2"})


async def test_a_child_that_failed_fails_its_parent_and_stops_the_other_children(
    client: Client, pipeline: Pipeline, kind: str
) -> None:
    """A task group in the parent cancels what it does not wait for any more."""
    started = asyncio.Event()

    @pipeline.job(kind)
    async def parent(job: JobContext) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(pipeline.run_child(job, f"{kind}.child", {"fails": False}, name="slow"))
            await started.wait()
            group.create_task(pipeline.run_child(job, f"{kind}.child", {"fails": True}, name="broken"))

    @pipeline.job(f"{kind}.child")
    async def child(job: JobContext) -> None:
        if job.input["fails"]:
            raise JobFailure("TRACK_DAMAGED", "Track 3 is damaged.")
        started.set()
        await asyncio.Event().wait()

    async with running(pipeline):
        job = await pipeline.submit(kind)
        with pytest.raises(JobFailed):
            await client.result(job.job_id, timeout=120)
        assert (await client.get(f"{job.job_id}-slow")).state == JobState.JOB_STATE_CANCELLED


@pytest.mark.parametrize("plain", [False, True])
async def test_a_cancelled_parent_waits_until_its_child_has_stopped(
    client: Client, pipeline: Pipeline, kind: str, plain: bool
) -> None:
    """So it can remove what the child was using."""
    order: list[str] = []
    started = threading.Event()

    async def parent(job: JobContext) -> None:
        try:
            await pipeline.run_child(job, f"{kind}.child", name="only")
        finally:
            order.append("parent cleaned up")

    def plain_parent(job: JobContext) -> None:
        try:
            pipeline.run_child_blocking(job, f"{kind}.child", name="only")
        except Cancelled:
            order.append("parent cleaned up")
            raise

    pipeline.job(kind)(plain_parent if plain else parent)

    @pipeline.job(f"{kind}.child")
    def child(job: JobContext) -> None:
        started.set()
        while not job.cancelled:
            time.sleep(0.01)
        time.sleep(0.2)
        order.append("child stopped")
        job.raise_if_cancelled()

    async with running(pipeline):
        job = await pipeline.submit(kind)
        assert await asyncio.to_thread(started.wait, 120)
        await client.cancel(job.job_id)
        with pytest.raises(JobCancelled):
            await client.result(job.job_id, timeout=120)

    assert order == ["child stopped", "parent cleaned up"]


async def test_a_shadow_runs_beside_its_primary_with_the_same_input(
    shared_server: Server, client: Client, kind: str
) -> None:
    """Labels pair it and its children with the primary and its children; functions know a shadow, and the primary's
    result is that of the primary.
    """
    pipeline = Pipeline(shared_server.address, engine="worker", shadow_engine="worker")
    sent: list[str] = []

    @pipeline.job(kind)
    async def parent(job: JobContext) -> dict[str, Any]:
        child = await pipeline.run_child(job, f"{kind}.child", job.input, name="only")
        if not is_shadow(job):
            sent.append(job.id)
        return {"n": child["n"], "shadow": is_shadow(job)}

    @pipeline.job(f"{kind}.child")
    def child(job: JobContext) -> dict[str, Any]:
        return {"n": job.input["n"] + 1}

    async with running(pipeline):
        job = await pipeline.submit(kind, {"n": 1}, concurrency_key=kind)
        assert await client.result(job.job_id, timeout=120) == {"n": 2, "shadow": False}
        shadow = f"{job.job_id}-shadow"
        assert await client.result(shadow, timeout=120) == {"n": 2, "shadow": True}

    assert sent == [job.job_id]
    assert await labels(client, job.job_id) == {"milepost.dev/engine": "worker"}
    assert await labels(client, shadow) == {
        "milepost.dev/engine": "worker",
        "milepost.dev/shadow-of": job.job_id,
    }
    assert await labels(client, f"{shadow}-only") == {
        "milepost.dev/engine": "worker",
        "milepost.dev/child": "only",
        "milepost.dev/shadow-of": f"{job.job_id}-only",
    }


async def _refuses(*_: object) -> None:
    raise JobFailure("BROKER_AWAY", "There is no broker.")


async def _never_answers(*_: object) -> None:
    await asyncio.Event().wait()


async def _has_a_defect(*_: object) -> None:
    raise ZeroDivisionError("division by zero")


class BrokenEngine:
    """An engine whose submissions fail."""

    def __init__(self, submit: Callable[..., Any]) -> None:
        self.submit = submit

    def main(self) -> None:
        """Run nothing."""


@pytest.mark.parametrize(
    ("submit", "line"),
    [
        (_refuses, "has no shadow under celery"),
        (_has_a_defect, "has no shadow under celery"),
        (_never_answers, "the submission of its shadow {job_id}-shadow under celery; it may still start"),
    ],
)
async def test_a_shadow_that_cannot_be_submitted_does_not_affect_its_primary(
    shared_server: Server,
    client: Client,
    kind: str,
    submit: Callable[..., Any],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An engine that refuses, hangs or has a defect costs one line in the log, which says only what is known."""
    monkeypatch.setattr("milepost.client.engines.pipeline.SHADOW_TIMEOUT", 0.2)
    pipeline = Pipeline(shared_server.address, engine="worker", shadow_engine="celery")

    monkeypatch.setitem(pipeline._engines, "celery", BrokenEngine(submit))
    pipeline.job(kind)(lambda job: {"n": 1})

    with caplog.at_level(logging.WARNING, "milepost.client"):
        async with running(pipeline):
            job = await pipeline.submit(kind)
            assert await client.result(job.job_id, timeout=120) == {"n": 1}

    assert [job.job_id async for job in client.list(kinds=[kind])] == [job.job_id]
    assert [line.format(job_id=job.job_id) in record.getMessage() for record in caplog.records] == [True]


def test_the_environment_names_the_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments go first, and without either it is the worker; a wrong name is an error at once."""
    engines = []
    cases: list[tuple[dict[str, str], str | None]] = [
        ({}, None),
        ({"MILEPOST_ENGINE": "celery", "MILEPOST_SHADOW_ENGINE": "hatchet"}, None),
        ({"MILEPOST_ENGINE": "celery", "MILEPOST_SHADOW_ENGINE": ""}, "worker"),
    ]
    for environment, engine in cases:
        for name in ("MILEPOST_ENGINE", "MILEPOST_SHADOW_ENGINE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        pipeline = Pipeline(engine=engine)
        engines.append((pipeline.engine, pipeline.shadow_engine))

    assert engines == [("worker", None), ("celery", "hatchet"), ("worker", None)]
    with pytest.raises(ValueError, match="shadow_engine cannot be 'airflow': use worker, celery, hatchet"):
        Pipeline(shadow_engine="airflow")
    monkeypatch.setenv("MILEPOST_ENGINE", "airflow")
    with pytest.raises(ValueError, match="MILEPOST_ENGINE cannot be 'airflow'"):
        Pipeline()


async def test_names_that_cannot_be_are_refused(pipeline: Pipeline, kind: str) -> None:
    """The error has the name, and what it may be."""
    pipeline.job(kind)(lambda job: None)

    with pytest.raises(ValueError, match=f"a function for '{kind}' already"):
        pipeline.job(kind)
    with pytest.raises(ValueError, match="cannot be called 'Not A Kind'"):
        pipeline.job("Not A Kind")
    with pytest.raises(ValueError, match=f"no function for 'other', only for {kind}"):
        await pipeline.submit("other")


def test_wrong_options_of_a_kind_are_refused(pipeline: Pipeline, kind: str) -> None:
    """Where it is registered, and not with its first job; nor does a pipeline without functions run."""
    wrong: dict[str, Any]
    for wrong, error in (
        ({"kind": 7}, "kind is 7, and takes text"),
        ({"kind": kind, "stage": "scan"}, "There is no option 'stage' for submitting a job"),
        ({"kind": kind, "retry_policy": 3}, "retry_policy is 3, and takes a RetryPolicy"),
    ):
        with pytest.raises(TypeError, match=error):
            pipeline.job(**wrong)
    with pytest.raises(RuntimeError, match="The pipeline has no functions"):
        pipeline.main()


async def test_plain_functions_with_many_children_leave_the_log_clean(
    client: Client, pipeline: Pipeline, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each event of gRPC wakes the loops of all threads, and asyncio would log that all but one find nothing."""

    @pipeline.job(kind)
    def parent(job: JobContext) -> dict[str, Any]:
        names = [f"child-{number}" for number in range(5)]
        return {name: pipeline.run_child_blocking(job, f"{kind}.child", name=name)["n"] for name in names}

    @pipeline.job(f"{kind}.child")
    async def child(job: JobContext) -> dict[str, Any]:
        return {"n": 1}

    async with running(pipeline):
        jobs = [await pipeline.submit(kind) for _ in range(8)]
        for job in jobs:
            result = await client.result(job.job_id, timeout=120)
            assert sum(result.values()) == 5

    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
