"""The directory of one run: everything that a job makes, under its job_id."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Final

from examples.multitrack.recording import DESCRIPTION, Recording
from examples.multitrack.run_files import replacing
from milepost.client import Client
from milepost.client.errors import JobNotFound, MilepostError
from milepost.contract.limits import JOB_ID

__all__ = ["RunDirectory", "remove_leftovers"]

_RESULT: Final = "result.json"
# Seconds from the copy of a shadow's tracks to its submission, at most.
_SUBMISSION_TIME: Final = 60.0


class RunDirectory:
    """Names of the files of one run.

    Attributes:
        path: The directory.
        mixdown: All tracks that may be kept, in one.
        waveform: Its peaks.
        transcript: The turns.
        topics: The topics.
        headline: The title and the summary.
        webhook: The body of the webhook, once it is sent.
        chat: The body of the chat message, once it is sent.
        result: The result of the job; its presence says that the run is complete.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mixdown = path / "mixdown.flac"
        self.waveform = path / "waveform.json"
        self.transcript = path / "transcript.json"
        self.topics = path / "topics.json"
        self.headline = path / "headline.json"
        self.webhook = path / "webhook.json"
        self.chat = path / "chat.json"
        self.result = path / _RESULT

    def make(self) -> None:
        """Make the directory. Only the job that it belongs to does: its children write to what is there."""
        for name in ("tracks", "padded", "words"):
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def recording(self) -> Recording:
        """The recording that was fetched."""
        return Recording.in_directory(self.path)

    @property
    def is_fetched(self) -> bool:
        """Whether the recording was fetched: its description is written last."""
        return (self.path / DESCRIPTION).exists()

    def fetch(self, source: Path) -> None:
        """Copy a file of the recording, unless that was done.

        Raises:
            FileNotFoundError: It is gone.
        """
        target = self.track(source.name)
        if not target.exists():
            with replacing(target) as partial:
                shutil.copyfile(source, partial)

    def track(self, file: str) -> Path:
        """The copy of a file of the recording."""
        return self.path / "tracks" / file

    def padded(self, track_id: str) -> Path:
        """A track as long as the recording."""
        return self.path / "padded" / f"{track_id}.flac"

    def words(self, track_id: str) -> Path:
        """The words of a track."""
        return self.path / "words" / f"{track_id}.json"


async def remove_leftovers(client: Client, runs: Path) -> list[str]:
    """Remove what jobs have left that ended without cleaning up, as by ``kill -9`` of their last attempt.

    Returns:
        The ids of these jobs.
    """
    removed = []
    for job_id in await asyncio.to_thread(_unfinished, runs):
        try:
            if not (await client.get(job_id)).has_ended:
                continue
        except JobNotFound:  # deleted since, or about to be submitted
            if await asyncio.to_thread(_age, runs / job_id) < _SUBMISSION_TIME:
                continue
        except MilepostError:
            continue  # the next run asks again
        await asyncio.to_thread(shutil.rmtree, runs / job_id, ignore_errors=True)
        removed.append(job_id)
    return removed


def _age(run: Path) -> float:
    return time.time() - run.stat().st_mtime if run.exists() else 0.0


def _unfinished(runs: Path) -> list[str]:
    return sorted(
        run.name
        for run in runs.iterdir()
        if run.is_dir() and JOB_ID.fullmatch(run.name) and not (run / _RESULT).exists()
    )
