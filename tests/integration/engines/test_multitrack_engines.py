"""The multitrack example under each engine, in processes of its own: the test of a migration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from examples.multitrack.pipeline import pipeline as jobs
from examples.multitrack.pipeline import submit_recording
from milepost.client import Client
from milepost.client.errors import JobCancelled
from milepost.v1 import JobState
from tests.support.command import milepost
from tests.support.multitrack import copied_recording, names_in, working_pipeline
from tests.support.rpc import eventually
from tests.support.running_engine import running_engine, use_engine
from tests.support.server import Server

MODULE = "examples.multitrack.work"


def lead_to(engine: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Submit to an engine."""
    use_engine(environment, monkeypatch)
    monkeypatch.setattr(jobs, "engine", engine)
    monkeypatch.setattr(jobs, "_engines", {})


@pytest.mark.nightly
async def test_all_engines_make_the_same(
    client: Client, shared_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transcript, topics, title, summary, and the bytes of the webhook and of all files."""
    results: dict[str, Any] = {}
    bodies: dict[str, bytes] = {}
    artifacts: dict[str, dict[str, str]] = {}
    for engine in ("worker", "celery", "hatchet"):
        (directory := tmp_path / engine).mkdir()
        with running_engine(engine, directory, shared_server.address, MODULE, len(jobs.kinds)) as environment:
            lead_to(engine, environment, monkeypatch)
            job = await submit_recording(copied_recording(directory), directory / "runs")
            results[engine] = await client.result(job.job_id, timeout=120)
        ended = await client.get(job.job_id)
        assert ended.labels["milepost.dev/engine"] == engine
        artifacts[engine] = {artifact.name: artifact.sha256 for artifact in ended.artifacts}
        bodies[engine] = (directory / "runs" / job.job_id / "webhook.json").read_bytes()
        assert names_in(directory / "talk") == ["ada.flac", "ben.flac", "recording.json"]

    assert results == dict.fromkeys(results, results["worker"])
    assert bodies == dict.fromkeys(bodies, bodies["worker"])
    assert artifacts == dict.fromkeys(artifacts, artifacts["worker"])


@pytest.mark.nightly
@pytest.mark.parametrize("engine", ["celery", "hatchet"])
async def test_cancelling_leaves_nothing_under_an_engine(
    client: Client, shared_server: Server, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the tracks are processed: the job and its children end, no file of the run is left, and the processes
    take the next recording.
    """
    with running_engine(engine, tmp_path, shared_server.address, MODULE, len(jobs.kinds)) as environment:
        lead_to(engine, environment, monkeypatch)
        job = await submit_recording(copied_recording(tmp_path), tmp_path / "runs")

        async def tracks_run() -> bool:
            children = [child async for child in client.list(parent_job_id=job.job_id)]
            return any(
                child.job_id != job.job_id and child.state == JobState.JOB_STATE_RUNNING for child in children
            )

        await eventually(tracks_run)
        await client.cancel(job.job_id)
        with pytest.raises(JobCancelled):
            await client.result(job.job_id, timeout=120)
        async for child in client.list(parent_job_id=job.job_id):
            assert child.state in {JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_SUCCEEDED}
        assert names_in(tmp_path / "runs") == []
        again = await submit_recording(tmp_path / "talk", tmp_path / "runs")
        assert (await client.result(again.job_id, timeout=120))["consent"]["withheld"] == ["Cleo"]


# What is another one in each run by its nature: where its files are, and what only a primary deletes.
IGNORED = ("artifacts.*.uri", "events.CONSENT")


@pytest.mark.nightly
@pytest.mark.parametrize("planted", [False, True])
async def test_a_shadow_shows_what_another_engine_would_change(
    client: Client, shared_server: Server, tmp_path: Path, planted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has the primary, Celery its shadow: without a difference `milepost diff` finds none; a planted one it
    finds, and the primary has nothing of it.
    """
    module = "tests.support.planted_worker" if planted else MODULE
    with running_engine("celery", tmp_path, shared_server.address, module, len(jobs.kinds)) as environment:
        lead_to("worker", environment, monkeypatch)
        monkeypatch.setattr(jobs, "shadow_engine", "celery")
        async with working_pipeline():
            job = await submit_recording(copied_recording(tmp_path), tmp_path / "runs")
            result = await client.result(job.job_id, timeout=120)
        shadow = await client.result(f"{job.job_id}-shadow", timeout=120)

    ignored = [argument for path in IGNORED for argument in ("--ignore", path)]
    compared = await milepost("diff", job.job_id, *ignored, address=shared_server.address)

    assert (result["title"], shadow["title"]) == (
        "Hotel, cost and journey",
        f"Hotel, cost and journey{' again' if planted else ''}",
    )
    assert compared.status == (1 if planted else 0), compared.out
    assert ("Hotel, cost and journey again" in compared.out) == planted
