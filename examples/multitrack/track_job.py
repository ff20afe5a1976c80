"""One track of a recording, a child job: padded to the length of the recording, and transcribed."""

from __future__ import annotations

from typing import Any

from examples.multitrack.audio import pad
from examples.multitrack.listening import progress_of
from examples.multitrack.recognition import words_of
from examples.multitrack.run_directory import RunDirectory
from examples.multitrack.run_files import read_json, write_json
from examples.multitrack.transcript import word_errors
from milepost.client import JobContext

__all__ = ["process_track"]


def process_track(job: JobContext, run: RunDirectory, track_id: str) -> dict[str, Any]:
    """Write the padded track and its words; what an earlier attempt has written stays.

    Returns:
        The number of words, and the errors of the recogniser where the text is known.
    """
    recording = run.recording
    track = next(track for track in recording.tracks if track.track_id == track_id)

    with job.stage("pad_track", total=recording.duration, unit="seconds") as stage:
        target = run.padded(track_id)
        if not target.exists():
            pad(run.track(track.file), target, track.offset, recording.duration, progress_of(job, stage))

    with job.stage("transcribe_track", total=recording.duration, unit="seconds") as stage:
        words = read_json(run.words(track_id))
        if words is None:
            heard = words_of(target, recording.agenda, progress_of(job, stage))
            words = [word.to_json() for word in heard]
            write_json(run.words(track_id), words)

    result: dict[str, Any] = {"words": len(words)}
    if track.reference:
        text = " ".join(word["text"] for word in words)
        result["word_errors"] = word_errors(track.reference, text).to_json()
    return result
