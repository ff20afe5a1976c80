"""The pipeline: two kinds of jobs, which know Milepost's `JobContext` and no engine.

.venv/bin/python -m examples.multitrack --help
"""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any, Final

from examples.multitrack.recording import Recording
from examples.multitrack.recording_job import STAGES, RecordingJob
from examples.multitrack.run_directory import RunDirectory, remove_leftovers
from examples.multitrack.track_job import process_track
from milepost.client import JobContext, JobFailure, JobSnapshot
from milepost.client.engines import Pipeline
from milepost.client.engines.labels import SHADOW_ID
from milepost.client.errors import MilepostError
from milepost.v1 import JobState, RetryPolicy, Stage

__all__ = ["RECORDING", "TRACK", "pipeline", "submit_recording"]

RECORDING: Final = "multitrack.recording"
TRACK: Final = "multitrack.track"

_ATTEMPTS: Final = 3
_RETRIES: Final = RetryPolicy(max_attempts=_ATTEMPTS)

pipeline = Pipeline()


async def submit_recording(
    recording: Path, runs: Path, *, webhook_url: str = "", chat_url: str = ""
) -> JobSnapshot:
    """Submit the job of a recording; its workload is the seconds of sound in all tracks.

    Args:
        recording: The directory of the recording.
        runs: The directory for what its jobs make, each under its job_id.
        webhook_url: Where the transcript is sent; empty for nowhere.
        chat_url: Where a message about it is sent; empty for nowhere.

    Raises:
        FileNotFoundError: There is no recording.
        MilepostError: As for `Client.submit`.
    """
    described = Recording.in_directory(recording)
    job_id = str(uuid.uuid4())
    shadow = RunDirectory(runs / f"{job_id}{SHADOW_ID}") if pipeline.shadow_engine else None
    try:
        if shadow is not None:
            # The shadow may start when the primary has deleted what may not be kept.
            await asyncio.to_thread(_fetch, recording, described, shadow)
        return await pipeline.submit(
            RECORDING,
            {
                **_absolute(recording=recording, runs=runs),
                "webhook_url": webhook_url,
                "chat_url": chat_url,
            },
            job_id=job_id,
            workload=described.duration * len(described.tracks),
        )
    except BaseException:
        if shadow is not None:
            shadow.remove()
        raise


def _fetch(recording: Path, described: Recording, run: RunDirectory) -> None:
    run.make()
    for track in described.tracks:
        run.fetch(recording / track.file)


def _absolute(**paths: Path) -> dict[str, str]:
    return {name: str(path.resolve()) for name, path in paths.items()}


@pipeline.job(RECORDING, stages=STAGES, workload_unit="seconds", retry_policy=_RETRIES)
async def process_recording(job: JobContext) -> dict[str, Any]:
    """Transcribe a recording. What it leaves when it does not succeed is nothing."""
    runs = Path(job.input["runs"])
    run = RunDirectory(runs / job.id)
    run.make()
    async with pipeline.client() as client:
        await remove_leftovers(client, runs)

    async def run_track(track_id: str) -> dict[str, Any]:
        track = {"run": str(run.path), "track": track_id}
        return await pipeline.run_child(job, TRACK, track, name=track_id, workload=run.recording.duration)

    try:
        return await RecordingJob(job, run, run_track).process()
    except asyncio.CancelledError:
        if await _ends(job):
            run.remove()
        raise
    except BaseException as error:
        if job.attempt >= _ATTEMPTS or (isinstance(error, JobFailure) and not error.retryable):
            run.remove()
        raise


@pipeline.job(
    TRACK,
    stages=[
        Stage(stage_id="pad_track", weight=1, unit="seconds"),
        Stage(stage_id="transcribe_track", weight=9, unit="seconds"),
    ],
    workload_unit="seconds",
    retry_policy=_RETRIES,
)
def transcribe_track(job: JobContext) -> dict[str, Any]:
    """Pad and transcribe one track."""
    return process_track(job, RunDirectory(Path(job.input["run"])), job.input["track"])


async def _ends(job: JobContext) -> bool:
    """Whether the job ends here, and does not go on in another attempt, as after the stop of a worker."""
    async with pipeline.client() as client:
        try:
            state = (await client.get(job.id)).state
        except MilepostError:
            return False  # the next run removes what is left
    return state not in {JobState.JOB_STATE_QUEUED, JobState.JOB_STATE_RUNNING}
