"""Workers and a dispatcher without gRPC sessions."""

from __future__ import annotations

import asyncio

from milepost.contract.reasons import reason_name
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.dispatch.worker_session import Session
from milepost.server.followers.transitions import follow_transitions
from milepost.v1 import Hello, JobState, WorkResponse
from tests.support.responses import decoded
from tests.unit.server.core import Core
from tests.unit.server.states import ended

__all__ = ["done", "hears", "node", "takes", "why", "worker"]


def node(core: Core) -> Dispatcher:
    """Create the dispatcher of a further node on the same log."""
    sessions = SessionTable(core.clock, core.registry)
    dispatcher = Dispatcher(core.attempts, sessions, core.clock, core.tasks)
    follow_transitions(core.log, sessions.on_transition, dispatcher.on_transition)
    return dispatcher


def worker(dispatcher: Dispatcher, name: str, *, room: int = 1, kinds: tuple[str, ...] = ("k",)) -> Session:
    """Connect a worker."""
    session = Session(Hello(worker_id=name, kinds=kinds, max_concurrency=room))
    dispatcher.sessions.add(session)
    return session


async def hears(session: Session, kind: str) -> WorkResponse:
    """The next response to the worker, which must be of this kind."""
    async with asyncio.timeout(120):
        response = await session.responses.get()
    assert response is not None
    heard = decoded(response)
    assert kind == heard.WhichOneof("message")
    return heard


async def takes(session: Session) -> str:
    """The next job that is assigned to the worker."""
    return (await hears(session, "assignment")).assignment.job.job_id


async def done(core: Core, session: Session, job_id: str, attempt: int = 1) -> None:
    """End the worker's job."""
    session.ending.add(job_id)
    token = core.token(job_id, attempt)
    await core.report(token, ended(JobState.JOB_STATE_SUCCEEDED), job_id=job_id)


def why(response: WorkResponse) -> tuple[str, str]:
    """The job of a refusal, and its reason."""
    return response.rejected.job_id, reason_name(response.rejected.reason)
