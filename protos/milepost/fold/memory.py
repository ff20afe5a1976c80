"""How much memory a job takes, and how much of it is waste.

protobuf keeps the contents of a message in an arena, which frees nothing before the whole message is freed: neither a
text that was overwritten nor a field that was cleared. So a job that is long at work would grow with each message that
it shows. ``Fold`` adds up what events waste, and moves the job to a new message when that is more than the job has, and
than ``WASTE_LIMIT``. So moving costs no more than the events since the last time, and a job takes at most about twice
its memory.
"""

from __future__ import annotations

from typing import Final

from milepost.v1 import Job

__all__ = ["WASTE_LIMIT", "memory_of", "text_size"]

WASTE_LIMIT: Final = 16 * 1024
"""Bytes that a job may waste even if it is smaller."""

# Measured bytes of a job beyond its serialised size: of the job itself with its fold, of each stage with its places in
# the indexes and a level of its own, of each artifact and each label. A JSON value takes up to 13 times its size.
_JOB_OVERHEAD: Final = 5120
_STAGE_OVERHEAD: Final = 1400
_ARTIFACT_OVERHEAD: Final = 160
_LABEL_OVERHEAD: Final = 400
_JSON_FACTOR: Final = 13


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
