"""Workers' sessions without gRPC, message by message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from milepost.contract.reasons import reason_name
from milepost.server.access.audit import AuditLog
from milepost.server.access.current_principal import set_principal
from milepost.server.access.limits.limiter import Limiter
from milepost.server.access.principal import ANONYMOUS
from milepost.server.calls.call_memory import CallMemory
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.followers.deadlines import Deadlines
from milepost.server.followers.transitions import follow_transitions
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.rpc.worker_service import WorkerService
from milepost.server.service.job_access import JobAccess
from milepost.server.service.session_parts import SessionParts
from milepost.server.service.workers import Workers
from milepost.v1 import Hello, Job, JobState, WorkRequest, WorkResponse
from tests.support.responses import decoded
from tests.unit.server.core import Core

__all__ = ["LEASE", "Talk", "WorkerSessions", "state", "worker_sessions"]

LEASE: Final = 30.0


class Said:
    """The requests of a queue, up to None, as a session receives them."""

    def __init__(self, queue: asyncio.Queue[WorkRequest | None]) -> None:
        self._queue = queue
        self.size = 0

    def __aiter__(self) -> Said:
        return self

    async def __anext__(self) -> WorkRequest:
        if (request := await self._queue.get()) is None:
            raise StopAsyncIteration
        self._queue.task_done()
        self.size = request.ByteSize()
        return request


class Talk:
    """One session, message by message."""

    def __init__(self, service: WorkerService) -> None:
        self._said: asyncio.Queue[WorkRequest | None] = asyncio.Queue()
        self._heard: asyncio.Queue[WorkResponse] = asyncio.Queue()
        self.assignments = 0
        """How many the server has sent."""
        set_principal(ANONYMOUS)
        self._task = asyncio.create_task(service.Work(Said(self._said), cast("Any", self)))

    async def write(self, response: WorkResponse | JobResponse) -> None:
        """See the context of a gRPC call."""
        received = decoded(response)
        self.assignments += received.HasField("assignment")
        self._heard.put_nowait(received)

    def peer(self) -> str:
        """See the context of a gRPC call."""
        return "test"

    def say(self, **message: Any) -> None:
        """Send one message."""
        self._said.put_nowait(WorkRequest(**message))

    async def is_heard(self) -> None:
        """Wait until the server has read all messages."""
        async with asyncio.timeout(120):
            await self._said.join()

    async def hears(self, kind: str) -> WorkResponse:
        """The next message, which must be of this kind."""
        async with asyncio.timeout(120):
            response = await self._heard.get()
        assert kind == response.WhichOneof("message"), response
        return response

    async def takes(self) -> tuple[Job, str]:
        """The next assignment."""
        assignment = (await self.hears("assignment")).assignment
        return assignment.job, assignment.lease_token

    async def refused(self) -> tuple[str, str]:
        """The job and the reason of the next rejection."""
        rejected = (await self.hears("rejected")).rejected
        return rejected.job_id, reason_name(rejected.reason)

    async def over(self) -> None:
        """Wait until the server has ended the session. Raises its error."""
        async with asyncio.timeout(120):
            await self._task

    async def leave(self) -> None:
        """Break the connection."""
        self._task.cancel()
        await asyncio.wait([self._task])


class WorkerSessions:
    """The sessions of workers with one server."""

    def __init__(self, core: Core) -> None:
        self.dispatcher = Dispatcher(core.attempts, core.sessions, core.clock, core.tasks)
        self.deadlines = Deadlines(core.journal, core.sessions, core.clock, core.tasks, LEASE)
        follow_transitions(
            core.log,
            core.sessions.on_transition,
            self.dispatcher.on_transition,
            self.deadlines.on_transition,
        )
        self.service = WorkerService(
            Workers(
                SessionParts(
                    core.attempts,
                    core.reports,
                    self.dispatcher,
                    core.sessions,
                    self.deadlines,
                    JobAccess(core.log, AuditLog(None, is_open=False)),
                    Limiter(),
                )
            ),
            LEASE,
            CallMemory(),
        )
        self._talks: list[Talk] = []

    async def open(self, **hello: Any) -> Talk:
        """Open a session."""
        talk = Talk(self.service)
        self._talks.append(talk)
        talk.say(hello=Hello(**{"worker_id": "w", "kinds": ["k"], "max_concurrency": 1, **hello}))
        await talk.hears("welcome")
        return talk

    async def close(self) -> None:
        """Close it."""
        for talk in self._talks:
            await talk.leave()
        self.dispatcher.close()
        self.deadlines.close()


@asynccontextmanager
async def worker_sessions(core: Core) -> AsyncIterator[WorkerSessions]:
    """Begin to serve workers, with the jobs that have not ended."""
    opened = WorkerSessions(core)
    for _, job in (await core.log.active()).jobs:
        opened.dispatcher.on_transition(job)
        opened.deadlines.on_transition(job)
    yield opened
    await opened.close()


async def state(core: Core, job_id: str = "j") -> tuple[str, int, int]:
    """The job's state, attempt and failed attempts."""
    job = await core.journal.find(job_id)
    return JobState.Name(job.state).removeprefix("JOB_STATE_"), job.attempt, job.failed_attempts
