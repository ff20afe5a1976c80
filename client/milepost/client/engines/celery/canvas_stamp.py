"""What the messages of a canvas's tasks say about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from celery.canvas import maybe_signature

__all__ = ["CanvasStamp", "bodies_alone", "canvas_in_stamps", "certain_tasks", "tasks_with_jobs"]

PARENT_STAMP: Final = "milepost_parent"
"""Stamp of the tasks of a canvas: a `CanvasStamp`. Celery stamps the tasks that it publishes later, too."""


@dataclass(frozen=True, slots=True)
class CanvasStamp:
    """The canvas of a task.

    Attributes:
        parent_job_id: The parent of the jobs of its tasks.
        certain_tasks: See the function `certain_tasks`.
        secret: Proves that a claim of the parent is for this canvas; empty in messages of earlier versions.
    """

    parent_job_id: str
    certain_tasks: int | None = None
    secret: str = ""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The canvas in a message: ``job_id:3:secret``, of which only the first part is always there."""
        parent_job_id, certain, secret, *_ = [*text.split(":"), "", ""]
        return cls(parent_job_id, int(certain) if certain.isdecimal() else None, secret)

    @property
    def text(self) -> str:
        """The text that messages have."""
        certain = "" if self.certain_tasks is None else str(self.certain_tasks)
        return f"{self.parent_job_id}:{certain}:{self.secret}"

    @property
    def stamps(self) -> dict[str, Any]:
        """The stamps of its tasks, as `Signature.stamp` takes them."""
        return {PARENT_STAMP: self.text}


def canvas_in_stamps(stamps: Mapping[str, Any] | None) -> str:
    """The text of the canvas that stamps name; empty for a task of none."""
    stamp = (stamps or {}).get(PARENT_STAMP)
    value = stamp[0] if isinstance(stamp, list | tuple) and stamp else stamp  # Celery makes lists of them
    return value if isinstance(value, str) else ""


def tasks_with_jobs(signature: Any) -> Iterator[Any]:
    """The signatures of a canvas whose tasks have jobs."""
    signature = maybe_signature(signature)
    if (parts := _parts(signature)) is not None:
        for part in parts:
            yield from tasks_with_jobs(part)
        if (body := getattr(signature, "body", None)) is not None:
            yield from tasks_with_jobs(body)
    elif hasattr(signature.type, "job_kind"):
        yield signature


def bodies_alone(signature: Any) -> Iterator[Any]:
    """The bodies of a canvas's chords without a header, which Celery publishes without a chord."""
    parts = _parts(signature)
    if parts is None:
        return
    for part in parts:
        yield from bodies_alone(part)
    body = getattr(signature, "body", None)
    if body is not None:
        if not parts:
            yield body
        yield from bodies_alone(body)


def certain_tasks(signature: Any) -> int | None:
    """How many tasks with jobs Celery publishes whichever of them fail, if all others follow one after another.

    Once these have ended, and one has failed, nothing is left to run: a group is complete, and what was to follow a
    failure does not. None for a canvas whose parallel parts have further steps, where the number tells nothing.
    """
    signature = maybe_signature(signature)
    parts = _parts(signature)
    if parts is None:
        return sum(1 for _ in tasks_with_jobs(signature))
    parts = [maybe_signature(part) for part in parts]
    if signature.get("task") == "celery.chain":
        first, *later = parts or [None]
        return certain_tasks(first) if first is not None and all(_is_task(part) for part in later) else None
    body = getattr(signature, "body", None)
    if not all(_is_task(part) for part in parts) or not (body is None or _is_task(maybe_signature(body))):
        return None
    return sum(1 for part in parts for _ in tasks_with_jobs(part))


def _parts(signature: Any) -> Any:
    return getattr(signature, "tasks", None)


def _is_task(signature: Any) -> bool:
    return _parts(signature) is None
