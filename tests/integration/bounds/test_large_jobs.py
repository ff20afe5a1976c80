"""Jobs of the maximum size."""

from __future__ import annotations

from milepost.contract import limits
from milepost.server.decide.size_budget import OMITTED
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    ErrorReason,
    Event,
    Failure,
    Job,
    JobEnded,
    JobFilter,
    JobState,
    ListJobsRequest,
    Stage,
    StageEnded,
    StageStarted,
    StageState,
    Update,
)
from tests.support.bad_requests import struct
from tests.support.rpc import Rpc, WorkSession, connect
from tests.support.server import ServerProcess

FAILED = StageState.STAGE_STATE_FAILED
LARGE = struct({"text": "x" * 1_048_500})


def failing(number: int) -> list[Update]:
    """A failed stage with the longest texts."""
    stage_id = f"s{number}"
    failure = Failure(code="X", message="m" * 1000, detail="d" * limits.FAILURE_DETAIL_SIZE)
    return [
        Update(stage_started=StageStarted(stage=Stage(stage_id=stage_id))),
        Update(stage_ended=StageEnded(stage_id=stage_id, state=FAILED, failure=failure)),
    ]


def made(number: int) -> Update:
    """An artifact with the longest name and URI."""
    artifact = Artifact(name=f"{number:0256}", uri="u" * limits.ARTIFACT_URI_LENGTH)
    return Update(artifact_added=ArtifactAdded(artifact=artifact))


async def grown(rpc: Rpc, session: WorkSession) -> tuple[Job, int]:
    """An ended job with as many failures and artifacts as fit, and the number of refused artifacts."""
    await rpc.submit(input=LARGE)
    job, token = await session.take()
    reported, refused = 0, 0
    for updates in (
        [update for number in range(50) for update in failing(number)],
        [made(number) for number in range(500)],
        [Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED, result=LARGE))],
    ):
        await session.report(job.job_id, token, reported + 1, *updates)
        reported += len(updates)
        acknowledged = 0
        while acknowledged < reported:
            response = await session.next()
            acknowledged = max(acknowledged, response.acknowledged.report_sequence)
            if response.HasField("rejected"):
                assert response.rejected.reason == ErrorReason.ERROR_REASON_TOO_LARGE
                refused += 1
    return job, refused


async def test_the_largest_job_can_be_read(shared_server: ServerProcess) -> None:
    """With gRPC's default message limit, by each call that returns jobs."""
    async with connect(shared_server.address) as rpc, rpc.session() as session:
        job, refused = await grown(rpc, session)
        found = await rpc.get(job.job_id)
        listed = await rpc.jobs.ListJobs(ListJobsRequest(filter=JobFilter(kinds=[rpc.kind])))
        opened, snapshot = [
            frame async for frame in rpc.watch(job.job_id, from_snapshot=True, no_follow=True)
        ][:2]
        log: list[Event] = await rpc.log(job.job_id)

    assert found.state == JobState.JOB_STATE_SUCCEEDED
    assert {stage.state for stage in found.stages} == {FAILED}
    details = [stage.failure.detail for stage in found.stages]
    assert (len(details), set(details)) == (50, {"d" * limits.FAILURE_DETAIL_SIZE, OMITTED})
    assert 0 < refused == 500 - len(found.artifacts)
    assert [found.job_id] == [each.job_id for each in listed.jobs]
    assert opened.WhichOneof("frame") == "opened"
    assert found == snapshot.snapshot.job
    assert len(log) == found.last_sequence
