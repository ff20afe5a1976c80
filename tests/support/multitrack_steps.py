"""The steps of the multitrack example's stages, and what stops a job at one of them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest import mock

from examples.multitrack import recording_job, track_job
from examples.multitrack.consent import Proof, delete_withheld

__all__ = ["DELETIONS", "STEPS", "stopping_at"]

STEPS: Final[dict[str, tuple[Any, str]]] = {
    "get_recording": (recording_job.RecordingJob, "_get_recording"),
    "get_participants": (recording_job.RecordingJob, "_get_participants"),
    "pad_track": (track_job, "pad"),
    "transcribe_track": (track_job, "words_of"),
    "mixdown_tracks": (recording_job.RecordingJob, "_mixdown"),
    "generate_waveform": (recording_job.RecordingJob, "_waveform"),
    "merge_transcripts": (recording_job.RecordingJob, "_merge"),
    "detect_topics": (recording_job.RecordingJob, "_detect_topics"),
    "generate_title": (recording_job.RecordingJob, "_title"),
    "generate_summary": (recording_job.RecordingJob, "_summary"),
    "finalize": (recording_job.RecordingJob, "_finalize"),
    "cleanup_consent": (recording_job.RecordingJob, "_cleanup_consent"),
    "post_chat": (recording_job, "deliver"),
    "send_webhook": (recording_job, "deliver"),
}
"""Where the step of each stage is called."""

DELETIONS: Final = tuple(f"deletion {number}" for number in (1, 2, 3, 4, 5, 9))
"""Points within cleanup_consent: before the file of that number is deleted or looked through."""

# The stages that send something, by the file that says what was sent.
_RECORDS: Final = {"chat.json": "post_chat", "webhook.json": "send_webhook"}


@contextlib.contextmanager
def stopping_at(stop: Callable[[str], object]) -> Iterator[None]:
    """Call ``stop(point)`` in the thread of the step at each stage and deletion, during a block."""

    def deleting(run: Any, files: Any, known: Any, searched: Any, check: Callable[[], None]) -> Proof:
        numbers = itertools.count(1)

        def stopping_check() -> None:
            stop(f"deletion {next(numbers)}")
            check()

        return delete_withheld(run, files, known, searched, stopping_check)

    with contextlib.ExitStack() as stack:
        for (where, name), stage in {step: stage for stage, step in STEPS.items()}.items():
            step = _stopping(stage, getattr(where, name), stop)
            stack.enter_context(mock.patch.object(where, name, step))
        stack.enter_context(mock.patch.object(recording_job, "delete_withheld", deleting))
        yield


def _stopping(stage: str, step: Callable[..., Any], stop: Callable[[str], object]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        stop(_RECORDS[args[3].name] if stage in _RECORDS.values() else stage)
        return step(*args, **options)

    return call
