"""One attempt of a worker, without a session."""

from __future__ import annotations

import asyncio

from milepost.client._conversion import to_struct
from milepost.client._worker.attempt import Attempt
from milepost.client._worker.handlers import Handler
from milepost.client._worker.send_queue import SendQueue
from milepost.v1 import (
    Assignment,
    ErrorReason,
    Job,
    Rejected,
    Report,
    WorkRequest,
)

__all__ = ["AttemptHarness", "names", "rejected"]


class AttemptHarness:
    """One attempt, whose requests go to the test."""

    def __init__(self, handler: Handler, **values: object) -> None:
        self.send_queue = SendQueue()
        self.changes = 0
        self.returned = asyncio.Event()
        job = Job(job_id="j", kind="k", attempt=1, input=to_struct(values, "input"))
        self.attempt = Attempt(Assignment(job=job, lease_token="t"), handler, self.send_queue, self._changed)

    def _changed(self, attempt: Attempt) -> None:
        self.changes += 1
        if not attempt.is_running:
            self.returned.set()

    async def next(self) -> WorkRequest:
        """Its next request."""
        async with asyncio.timeout(120):
            request = await self.send_queue.next()
        assert request is not None
        return request

    async def report(self) -> Report:
        """Its next report."""
        return (await self.next()).report

    def says_nothing(self) -> bool:
        """Whether it has no request, now or later."""
        return self.attempt.next_request(1e9) is None


def names(report: Report) -> list[str | None]:
    """The names of the updates."""
    return [update.WhichOneof("update") for update in report.updates]


def rejected(reason: str, *, number: int = 0, expected: int = 0) -> Rejected:
    """A refusal."""
    return Rejected(
        job_id="j",
        reason=ErrorReason.Value(f"ERROR_REASON_{reason}"),
        message="No.",
        report_sequence=number,
        expected_report_sequence=expected,
    )
