"""The multitrack example under Celery and Hatchet: cancelled at each stage, and killed at each stage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from examples.multitrack.pipeline import pipeline as jobs
from examples.multitrack.pipeline import submit_recording
from milepost.client import Client
from milepost.client.errors import JobCancelled
from milepost.v1 import JobState
from tests.support.multitrack import BRIEF, copied_recording, hashes_of, names_in
from tests.support.multitrack_steps import DELETIONS, STEPS
from tests.support.rpc import eventually
from tests.support.running_engine import use_engine
from tests.support.server import ServerProcess
from tests.support.staged_engine import StagedEngine, staged_engine

pytestmark = pytest.mark.nightly

ENDED_EARLY = {JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_SUCCEEDED}


@pytest.fixture(scope="module", params=["celery", "hatchet"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StagedEngine]:
    """An engine with its workers, and a server of its own, for all stages."""
    directory = tmp_path_factory.mktemp(request.param)
    with (
        ServerProcess(directory / "data") as server,
        staged_engine(request.param, directory, server.address) as running,
    ):
        yield running


@pytest.fixture
async def client(engine: StagedEngine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """A client; the pipeline submits to the engine."""
    use_engine(engine.environment, monkeypatch)
    monkeypatch.setattr(jobs, "engine", engine.name)
    monkeypatch.setattr(jobs, "_engines", {})
    async with Client(engine.environment["MILEPOST_ADDRESS"]) as connected:
        yield connected


@pytest.mark.parametrize("stage", STEPS)
async def test_cancelling_in_a_stage_leaves_nothing(
    client: Client, engine: StagedEngine, tmp_path: Path, stage: str
) -> None:
    """No file of the run is left once the job is CANCELLED, its functions have ended by themselves, and those of its
    children, and the engine has the processes that it had.
    """
    engine.hold(stage)
    job = await submit_recording(copied_recording(tmp_path, BRIEF), tmp_path / "runs")
    await eventually(lambda: engine.has_reached(stage))
    before = engine.processes()
    assert (tmp_path / "runs" / job.job_id).is_dir()
    await client.cancel(job.job_id, grace_period=120)
    engine.release(stage)
    with pytest.raises(JobCancelled):
        await client.result(job.job_id, timeout=120)
    family = [child async for child in client.list(parent_job_id=job.job_id)]

    assert names_in(tmp_path / "runs") == []
    assert not (await client.get(job.job_id)).cancellation.forced
    for child in family:
        assert child.state in ENDED_EARLY
        assert not child.cancellation.forced
    assert engine.processes() == before


@pytest.mark.parametrize("point", [*STEPS, *DELETIONS])
async def test_consent_holds_after_a_crash(
    client: Client, engine: StagedEngine, tmp_path: Path, point: str
) -> None:
    """The process of the job, or of a child, is killed: the next attempt finishes, and no audio is left of those who do
    not want it to be kept.
    """
    recording, runs = copied_recording(tmp_path, BRIEF), tmp_path / "runs"
    forbidden = hashes_of(recording)["cleo.flac"]
    engine.kill(point)
    job = await submit_recording(recording, runs)
    await eventually(lambda: engine.has_killed(point))
    engine.recover()
    result = await client.result(job.job_id, timeout=120)
    family = [await client.get(job.job_id)]
    family += [child async for child in client.list(parent_job_id=job.job_id, kinds=["multitrack.track"])]

    # Under Celery the parent of the killed process may report its end, which takes an attempt.
    assert max(member.attempt for member in family) in {2, 3}
    assert result["consent"] == {"withheld": ["Cleo"], "remaining": []}
    assert names_in(runs) == [job.job_id]
    assert [name for name in hashes_of(tmp_path) if name.endswith("cleo.flac")] == []
    assert forbidden not in hashes_of(tmp_path).values()
