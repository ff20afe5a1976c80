"""The labels of a pipeline's jobs, which tell its engines and shadows apart."""

from __future__ import annotations

from typing import Final

from milepost.client._worker.job_context import JobContext

__all__ = ["CHILD", "ENGINE", "SHADOW_ID", "SHADOW_OF", "is_shadow"]

ENGINE: Final = "milepost.dev/engine"
"""The engine that runs the job, such as ``celery``."""

SHADOW_OF: Final = "milepost.dev/shadow-of"
"""Of a shadow: the job_id of its primary. The children of a shadow name the children of that primary."""

CHILD: Final = "milepost.dev/child"
"""Of a child: its name among the children of its parent."""


SHADOW_ID: Final = "-shadow"
"""End of the job_id of a shadow, after that of its primary."""


def is_shadow(job: JobContext) -> bool:
    """Whether the job is the shadow of another one, which has the effects on the world that both would have.

    A function then records what it would send, delete or publish, and does nothing of it.
    """
    # A job that an engine runs while the server is away may have no labels; its id it always has.
    return SHADOW_OF in job.labels or (not job.attempt and SHADOW_ID in job.id)
