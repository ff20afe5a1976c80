"""The test of a migration: `milepost diff` compares a job with the shadow that another engine ran."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from examples.multitrack import recording_job
from examples.multitrack.multitrack_events_pb2 import FinalTitle
from examples.multitrack.pipeline import pipeline, submit_recording
from examples.multitrack.typed_events import TypedEvent, emit
from milepost.client import Client, JobContext
from milepost.client.engines import is_shadow
from tests.support.command import Outcome, milepost
from tests.support.multitrack import BRIEF, copied_recording, working_pipeline
from tests.support.server import Server


@pytest.fixture
async def client(shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """A client; the pipeline uses the same server."""
    monkeypatch.setenv("MILEPOST_ADDRESS", shared_server.address)
    async with Client(shared_server.address) as connected:
        yield connected


async def compared(client: Client, directory: Path) -> Outcome:
    """Run the pipeline on a recording, with a shadow, and compare the two."""
    (directory / "runs").mkdir(parents=True)
    recording = copied_recording(directory, BRIEF)
    async with working_pipeline():
        job = await submit_recording(recording, directory / "runs")
        for job_id in (job.job_id, f"{job.job_id}-shadow"):
            await client.result(job_id, timeout=120)
    # The shadow deletes from its own directory alone, and says so.
    ignored = ("--ignore", "events.CONSENT")
    return await milepost("diff", job.job_id, *ignored, "--output", "json", address=client.address)


async def test_shadow_mode_finds_a_planted_difference(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal runs pass, children and all; a title in which the other engine differs is found, and nothing else."""
    monkeypatch.setattr(pipeline, "shadow_engine", "worker")
    same = await compared(client, tmp_path / "same")

    def emit_other(job: JobContext, message: TypedEvent) -> None:
        if is_shadow(job) and isinstance(message, FinalTitle):
            message = FinalTitle(title=f"Other {message.title}")
        emit(job, message)

    monkeypatch.setattr(recording_job, "emit", emit_other)
    planted = await compared(client, tmp_path / "planted")

    assert (same.status, differing(same)) == (0, [])
    assert any(row["path"].startswith("children") for row in same.objects[0]["rows"])
    assert (planted.status, differing(planted)) == (1, ["events.FINAL_TITLE[0].1[0]"])


def differing(found: Outcome) -> list[Any]:
    """The paths of the differences."""
    return [each["path"] for each in found.objects[0]["differences"]]
