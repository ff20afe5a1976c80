"""Recordings for the multitrack example, and its worker within a test."""

from __future__ import annotations

import asyncio
import atexit
import functools
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from examples.multitrack.pipeline import pipeline
from examples.multitrack.sample import SHORT, Line, make_recording
from milepost.client.engines._worker_engine import WorkerEngine

__all__ = ["BRIEF", "copied_recording", "hashes_of", "names_in", "working_pipeline"]

BRIEF: Final[tuple[Line, ...]] = (
    ("Ada", 0.3, "We need seats on the train."),
    ("Cleo", 2.6, "There is snow in the mountains."),
)
"""Two tracks of a few seconds."""


@functools.cache
def _synthesised(lines: tuple[Line, ...]) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="multitrack-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    make_recording(directory / "talk", lines)
    return directory / "talk"


def copied_recording(directory: Path, lines: tuple[Line, ...] = SHORT) -> Path:
    """A recording of one's own, since a run deletes from it; it is synthesised once for all tests of a process."""
    return Path(shutil.copytree(_synthesised(lines), directory / "talk"))


def hashes_of(directory: Path) -> dict[str, str]:
    """The SHA-256 of each file in a directory, by its path within it."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def names_in(directory: Path) -> list[str]:
    """The names of the files and directories in a directory."""
    return sorted(path.name for path in directory.iterdir())


@asynccontextmanager
async def working_pipeline() -> AsyncIterator[None]:
    """Run the jobs of the pipeline in this process during a block; MILEPOST_ADDRESS says where."""
    engine = pipeline.running_engine("worker")
    assert isinstance(engine, WorkerEngine)
    running = asyncio.create_task(engine.run())
    try:
        yield
    finally:
        engine.stop()
        await running
