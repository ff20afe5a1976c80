"""What `python -m examples.multitrack` refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.multitrack.recording import Participant, Recording, Track


@pytest.mark.parametrize("variable", ["MILEPOST_ENGINE", "MILEPOST_SHADOW_ENGINE"])
def test_an_engine_that_there_is_not(variable: str) -> None:
    """One line says which ones there are, before anything starts."""
    outcome = _run(**{variable: "nope"})
    said = f"{variable} cannot be 'nope': use worker, celery, hatchet."
    assert (outcome.returncode, outcome.stdout, outcome.stderr.splitlines()) == (1, "", [said])


def test_an_output_that_cannot_be_made(tmp_path: Path) -> None:
    """One line names it, before anything starts."""
    (tmp_path / "file").write_text("")
    outcome = _run("--output", str(tmp_path / "file" / "runs"))
    assert (outcome.returncode, outcome.stdout, len(outcome.stderr.splitlines())) == (1, "", 1)
    assert str(tmp_path / "file" / "runs") in outcome.stderr


def test_a_recording_that_there_is_not(tmp_path: Path) -> None:
    """One line names it, before anything starts."""
    outcome = _run("--recording", str(tmp_path))
    said = f"There is no recording in {tmp_path}."
    assert (outcome.returncode, outcome.stdout, outcome.stderr.splitlines()) == (1, "", [said])


def test_a_recording_without_a_track(tmp_path: Path) -> None:
    """It is named; one that an earlier run has deleted, for lack of consent, may be missing."""
    tracks = (Track("ada", "ada.flac", 0.0, ""), Track("cleo", "cleo.flac", 0.0, ""))
    people = (Participant("Ada", "ada", consent=True), Participant("Cleo", "cleo", consent=False))
    with pytest.raises(FileNotFoundError, match=r"lacks its track ada\.flac\."):
        Recording("talk", 3.0, tracks, people).check_files(tmp_path)


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "examples.multitrack", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
