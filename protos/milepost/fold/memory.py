"""How much memory a job takes, and how much of it is waste.

protobuf keeps the contents of a message in an arena, which frees nothing before the whole message is freed: neither a
text that was overwritten nor a field that was cleared. So a job that is long at work would grow with each message that
it shows. ``Fold`` adds up what events write, and copies the job into a new message when that exceeds ``waste_limit``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from milepost.v1 import Event, Job

__all__ = ["WRITTEN", "memory_of", "text_size", "waste_limit"]

# Bytes that a job may waste even if it is smaller.
_WASTE_LIMIT: Final = 16 * 1024

# Measured bytes of a job beyond its serialised size: of the job itself with its fold, of each stage with its places in
# the indexes, of each artifact and each label. A JSON value takes up to this many times its size.
_JOB_OVERHEAD: Final = 4096
_STAGE_OVERHEAD: Final = 600
_ARTIFACT_OVERHEAD: Final = 160
_LABEL_OVERHEAD: Final = 400
_JSON_FACTOR: Final = 13


def waste_limit(size: int) -> int:
    """Bytes that events may write into a job of this serialised size before it is copied: as many as it has, or 16 KiB.

    So a copy costs no more than the events since the last one, and a job takes at most about twice its memory.
    """
    return max(size, _WASTE_LIMIT)


def memory_of(job: Job, size: int) -> int:
    """The bytes, about, that a job of this serialised size takes in memory with its fold. Without waste."""
    values = (job.input if job.HasField("input") else None, job.result if job.HasField("result") else None)
    return (
        _JOB_OVERHEAD
        + size
        + len(job.stages) * _STAGE_OVERHEAD
        + len(job.artifacts) * _ARTIFACT_OVERHEAD
        + len(job.labels) * _LABEL_OVERHEAD
        + sum(value.ByteSize() for value in values if value is not None) * (_JSON_FACTOR - 1)
    )


def text_size(text: str) -> int:
    """The bytes of a text."""
    return len(text) if text.isascii() else len(text.encode())


def _event(job: Job, event: Event) -> int:
    return event.ByteSize()


def _whole_job(job: Job, event: Event) -> int:
    return job.ByteSize()


WRITTEN: Final[Mapping[str, Callable[[Job, Event], int]]] = {
    "job_submitted": _event,
    "job_started": _whole_job,
    "stages_planned": _whole_job,
    "stage_started": _event,
    "stage_ended": _event,
    "artifact_added": _event,
    "cancel_requested": _event,
    "cancel_acknowledged": _event,
    "attempt_ended": _event,
    "job_ended": _event,
}
"""The bytes, about, that the fold of an event has written into the job, by its payload.

``stage_progressed`` is counted where it is applied, since nine tenths of all events are that, and most of these write
only numbers. So do those that are missing, or nothing; numbers are overwritten in place.
"""
