"""A subscriber of a model's jobs, whose streams are cut and resumed, and what it has received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Any, Protocol

import grpc

from milepost.v1 import Event, JobFilter, OnGap, WatchJobRequest, WatchJobsRequest
from tests.support.rpc import error_info
from tests.support.validators import EventView, Frame, History, Recording, missing

__all__ = ["ModelWatcher", "WatchedModel"]

# What a stream ends with when its server is killed.
_BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)


class WatchedModel(Protocol):
    """The model of a server's jobs, of one kind."""

    jobs_stub: Any
    kind: str

    def history(self, job_id: str) -> History:
        """All durable events, of all jobs or of one."""


class ModelWatcher:
    """A subscriber of a job, or of all the model's jobs if ``job_id`` is empty."""

    def __init__(self, model: WatchedModel, job_id: str, view: EventView, fields: dict[str, Any]) -> None:
        self._model = model
        self.job_id = job_id
        self.view = view
        self._fields = fields
        self.recording = Recording(breaks=True)
        self._task: asyncio.Task[grpc.StatusCode] | None = None

    @property
    def is_watching(self) -> bool:
        """Whether the stream is open."""
        return self._task is not None and not self._task.done()

    @property
    def reason(self) -> str:
        """Why the server refused to resume; empty if it did not, or is gone."""
        error = self.recording.streams[-1].error if self.recording.streams else None
        return "" if error is None or error.code() in _BROKEN else error_info(error).reason

    def watch(self, **start: Any) -> None:
        """Open a stream, with a start or at its cursor."""
        cursor, jobs = self.recording.cursor, self._model.jobs_stub
        resumes = not start and self.recording.streams and cursor is not None
        if resumes:
            start = {"after_sequence" if self.job_id else "after_position": cursor}
        fresh = start.get("from_snapshot") or start.get("from_latest")
        fields = {**self._fields, **start, "on_gap": OnGap.ON_GAP_SNAPSHOT}
        call: AsyncIterable[Frame]
        if self.job_id:
            call = jobs.WatchJob(WatchJobRequest(job_id=self.job_id, **fields))
        else:
            call = jobs.WatchJobs(WatchJobsRequest(filter=JobFilter(kinds=[self._model.kind]), **fields))
        unset = not self.job_id and not any(start.values())
        recorded = self.recording.record(
            call, None if fresh else cursor or 0, of_what_is_kept=unset, on_gap_snapshot=True
        )
        self._task = asyncio.create_task(recorded)

    async def leave(self) -> None:
        """Disconnect the stream."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def lacks(self) -> list[Event]:
        """The events that it has not received yet."""
        return missing(self.recording, self._model.history(self.job_id), self.view)
