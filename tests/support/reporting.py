"""Workers that resume after each crash of the server, and check their acknowledgements."""

from __future__ import annotations

import random

import grpc

from milepost.v1 import Claim, Dispatch, ErrorReason, JobEnded, JobState, Resume, Update, WorkResponse
from tests.support.rpc import Rpc, StreamEnded, WorkSession, log_line

__all__ = ["BROKEN", "Reporter", "Task"]

# INTERNAL comes from the client itself for a write to a broken stream ("Failed execute_batch").
BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)
"""Statuses of a stream whose connection broke."""

# Limits of the updates in a report, and of the unacknowledged updates of a job.
_BATCH = 5
_WINDOW = 10


class Task:
    """A job at its worker: the last report number that was made, sent and acknowledged, and that of the end.

    The reports are log lines with their own numbers, followed by the job's end.
    """

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.token = ""
        self.made = 0
        self.sent = 0
        self.acknowledged = 0
        self.end: int | None = None
        """The number of the last report; None until ``finish``."""

    @property
    def is_over(self) -> bool:
        """Whether the end is acknowledged."""
        return self.end is not None and self.acknowledged == self.end

    @property
    def lines(self) -> list[str]:
        """The expected log lines once the job is over."""
        return [str(number) for number in range(1, self.end or 0)]

    def finish(self) -> None:
        """End the job with the next report."""
        if self.end is None:
            self.end = self.made + 1

    def updates(self, first: int, last: int) -> list[Update]:
        """The updates with these numbers, up to the end."""
        return [
            Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
            if number == self.end
            else log_line(str(number))
            for number in range(first, min(last, self.end or last) + 1)
        ]


class Reporter:
    """A worker with several jobs, over a connection of its own.

    ``sessions`` counts its sessions, ``repeated`` the updates that it sent again, ``in_doubt`` the updates that were
    durable but unacknowledged when a connection broke, and ``refused`` the sessions that ended because the store was
    full; it reconnects after that, too.
    """

    def __init__(self, rpc: Rpc, seed: int) -> None:
        self._rpc = rpc
        self._random = random.Random(seed)
        self.tasks: list[Task] = []
        self.sessions = self.repeated = self.in_doubt = self.refused = 0

    @property
    def acknowledged(self) -> int:
        """The number of acknowledged updates."""
        return sum(task.acknowledged for task in self.tasks)

    async def claim(self, jobs: int) -> None:
        """Submit and claim ``jobs`` jobs."""
        async with self._rpc.session(kinds=[]) as session:
            for _ in range(jobs):
                job = await self._rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
                await session.send(claim=Claim(job_id=job.job_id))
                task = Task(job.job_id)
                _, task.token = await session.take()
                self.tasks.append(task)

    async def run(self) -> None:
        """Report until all jobs are over."""
        while not all(task.is_over for task in self.tasks):
            try:
                async with self._rpc.session(kinds=[], wait_for_ready=True) as session:
                    self.sessions += 1
                    await self._report_all(session)
            except grpc.aio.AioRpcError as error:
                if not self._passes(error.code()):
                    raise
            except StreamEnded as ended:
                if not self._passes(ended.code):
                    raise

    def _passes(self, code: grpc.StatusCode) -> bool:
        """Whether to reconnect after a session that ended with this status."""
        full = code is grpc.StatusCode.RESOURCE_EXHAUSTED
        self.refused += full
        return full or code in BROKEN

    async def _report_all(self, session: WorkSession) -> None:
        tasks = {task.job_id: task for task in self.tasks if not task.is_over}
        for task in tasks.values():
            await self._resume(session, task)
        for task in tasks.values():
            await self._send(session, task)
        while any(not task.is_over for task in tasks.values()):
            response = await _receive(session)
            assert response.HasField("acknowledged"), response
            acknowledged = response.acknowledged
            task = tasks[acknowledged.job_id]
            task.acknowledged = max(task.acknowledged, acknowledged.report_sequence)
            assert task.acknowledged <= task.made
            await self._send(session, task)

    async def _resume(self, session: WorkSession, task: Task) -> None:
        await session.send(resume=Resume(job_id=task.job_id, lease_token=task.token))
        response = await _receive(session)
        if response.HasField("rejected"):
            # Only the acknowledgement of the end was lost; an exact repeat brings it (rule 11).
            assert response.rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED, response
            assert task.end == task.made
            position = task.made - 1
        else:
            position = response.resumed.acknowledged_report_sequence
        # At least the acknowledged updates are durable (rule 12).
        assert task.acknowledged <= position <= task.made
        self.in_doubt += position - task.acknowledged
        task.acknowledged = position
        # Repeat some durable updates: the server must not append them again (rule 11).
        task.sent = self._random.randint(max(0, position - _BATCH), position)
        self.repeated += position - task.sent

    async def _send(self, session: WorkSession, task: Task) -> None:
        """Send as many updates as the window allows."""
        while not task.is_over and task.sent - task.acknowledged < _WINDOW:
            updates = task.updates(task.sent + 1, task.sent + self._random.randint(1, _BATCH))
            if not updates:
                return
            first, task.sent = task.sent + 1, task.sent + len(updates)
            task.made = max(task.made, task.sent)
            await session.report(task.job_id, task.token, first, *updates)


async def _receive(session: WorkSession) -> WorkResponse:
    """The next message, except for ``drain``: the stream's status says that the server stops."""
    response = await session.next()
    while response.HasField("drain"):
        response = await session.next()
    return response
