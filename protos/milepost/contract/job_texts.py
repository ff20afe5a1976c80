"""Texts about jobs that have to be the same wherever they come from."""

from __future__ import annotations

__all__ = ["no_job"]


def no_job(job_id: str) -> str:
    """The refusal where no job has this id, and where the caller must not learn that one has."""
    return f"There is no job {job_id!r}. Check the id, or list the jobs there are."
