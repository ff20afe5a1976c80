"""Workers that come back after each crash of the server, and know what they have said."""

from __future__ import annotations

import random

import grpc

from milepost.v1 import Claim, Dispatch, ErrorReason, JobEnded, JobState, Resume, Update, WorkResponse
from tests.support.rpc import Rpc, StreamEnded, WorkSession, log_line

__all__ = ["BROKEN", "Reporter", "Task"]

# INTERNAL is the client's own word for a write to a stream that has just broken ("Failed execute_batch").
BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)
"""How a stream ends whose connection broke."""

# Of a report at the most, and of a job before an acknowledgement is waited for.
_BATCH = 5
_WINDOW = 10


class Task:
    """A job at its worker: what was said of it, up to which number that is acknowledged, and where it is to end.

    The reports are lines that hold their own numbers, and the job's end after them.
    """

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.token = ""
        self.said = 0
        self.sent = 0
        self.acknowledged = 0
        self.end: int | None = None
        """The number of the last report; None while it is not to end."""

    @property
    def is_over(self) -> bool:
        """Whether the end is acknowledged."""
        return self.end is not None and self.acknowledged == self.end

    @property
    def lines(self) -> list[str]:
        """What its log is to hold, once it is over."""
        return [str(number) for number in range(1, self.end or 0)]

    def finish(self) -> None:
        """It is to end with its next report."""
        if self.end is None:
            self.end = self.said + 1

    def updates(self, first: int, last: int) -> list[Update]:
        """The reports of these numbers, up to the end."""
        return [
            Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
            if number == self.end
            else log_line(str(number))
            for number in range(first, min(last, self.end or last) + 1)
        ]


class Reporter:
    """A worker with several jobs, over a connection of its own.

    ``sessions`` is how many it has opened, ``repeated`` how many reports it has sent again, and ``in_doubt`` how many
    were durable of those that it had no acknowledgement for when its connection broke. ``refused`` is how many sessions
    ended since the store had no room; it comes back after that, too.
    """

    def __init__(self, rpc: Rpc, seed: int) -> None:
        self._rpc = rpc
        self._random = random.Random(seed)
        self.tasks: list[Task] = []
        self.sessions = self.repeated = self.in_doubt = self.refused = 0

    @property
    def acknowledged(self) -> int:
        """How many of its reports are."""
        return sum(task.acknowledged for task in self.tasks)

    async def claim(self, jobs: int) -> None:
        """Submits so many jobs and takes them."""
        async with self._rpc.session(kinds=[]) as session:
            for _ in range(jobs):
                job = await self._rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
                await session.send(claim=Claim(job_id=job.job_id))
                task = Task(job.job_id)
                _, task.token = await session.take()
                self.tasks.append(task)

    async def run(self) -> None:
        """Reports until all of its jobs are over."""
        while not all(task.is_over for task in self.tasks):
            try:
                async with self._rpc.session(kinds=[], wait_for_ready=True) as session:
                    self.sessions += 1
                    await self._converse(session)
            except grpc.aio.AioRpcError as error:
                if not self._passes(error.code()):
                    raise
            except StreamEnded as ended:
                if not self._passes(ended.code):
                    raise

    def _passes(self, code: grpc.StatusCode) -> bool:
        """Whether to come back after a session that ended like this."""
        full = code is grpc.StatusCode.RESOURCE_EXHAUSTED
        self.refused += full
        return full or code in BROKEN

    async def _converse(self, session: WorkSession) -> None:
        tasks = {task.job_id: task for task in self.tasks if not task.is_over}
        for task in tasks.values():
            await self._resume(session, task)
        for task in tasks.values():
            await self._say(session, task)
        while any(not task.is_over for task in tasks.values()):
            response = await _hear(session)
            assert response.HasField("acknowledged"), response
            told = response.acknowledged
            task = tasks[told.job_id]
            task.acknowledged = max(task.acknowledged, told.report_sequence)
            assert task.acknowledged <= task.said
            await self._say(session, task)

    async def _resume(self, session: WorkSession, task: Task) -> None:
        await session.send(resume=Resume(job_id=task.job_id, lease_token=task.token))
        response = await _hear(session)
        if response.HasField("rejected"):
            # Only the acknowledgement of the end was lost; an exact repeat brings it (rule 11).
            assert response.rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED, response
            assert task.end == task.said
            stands = task.said - 1
        else:
            stands = response.resumed.acknowledged_report_sequence
        # More may be durable than was acknowledged, but never less (rule 12).
        assert task.acknowledged <= stands <= task.said
        self.in_doubt += stands - task.acknowledged
        task.acknowledged = stands
        # Some of what the server has is said again: it is not to be appended twice (rule 11).
        task.sent = self._random.randint(max(0, stands - _BATCH), stands)
        self.repeated += stands - task.sent

    async def _say(self, session: WorkSession, task: Task) -> None:
        """As much as the window allows."""
        while not task.is_over and task.sent - task.acknowledged < _WINDOW:
            updates = task.updates(task.sent + 1, task.sent + self._random.randint(1, _BATCH))
            if not updates:
                return
            first, task.sent = task.sent + 1, task.sent + len(updates)
            task.said = max(task.said, task.sent)
            await session.report(task.job_id, task.token, first, *updates)


async def _hear(session: WorkSession) -> WorkResponse:
    """The next message; that the server stops is for the stream's end to tell."""
    response = await session.next()
    while response.HasField("drain"):
        response = await session.next()
    return response
