"""What a worker asks for in its session: claim, resume and release jobs, renew leases, and change its capacity."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from milepost.server.access.authorize import Action
from milepost.server.base.refusal import Refusal
from milepost.server.base.tracebacks import drop_tracebacks
from milepost.server.dispatch.session_table import rejection
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import StoreBehind
from milepost.server.service import validation
from milepost.server.service.session_parts import SessionParts
from milepost.server.store_errors import refusal_of
from milepost.v1 import Capacity, Claim, Release, Resume, Resumed, WorkRequest, WorkResponse

_Result = TypeVar("_Result")


class WorkerRequests:
    """Handles the requests of one session other than reports. The answers are put among the session's responses."""

    def __init__(self, parts: SessionParts, session: Session) -> None:
        self._attempts = parts.attempts
        self._dispatcher = parts.dispatcher
        self._sessions = parts.sessions
        self._deadlines = parts.deadlines
        self._access = parts.access
        self._session = session
        self._responses = session.responses

    async def handle(self, request: WorkRequest) -> asyncio.Future[None] | None:
        """Handle a request; return a future for a claim, which resolves once that is answered.

        Raises what ends the session: INVALID_FIELD for a message that is not valid here, and errors of the store.
        """
        match request.WhichOneof("message"):
            case "heartbeat":
                self._deadlines.renew(self._session.jobs)
            case "claim":
                return await self._or_reject(self._claim(request.claim), request.claim.job_id)
            case "resume":
                resume = request.resume
                await self._or_reject(self._resume(resume), resume.job_id, resume.lease_token)
            case "release":
                release = request.release
                await self._or_reject(self._release(release), release.job_id, release.lease_token)
            case "capacity":
                await self._or_reject(self._change_capacity(request.capacity))
            case unknown:
                validation.unexpected_message(unknown)
        return None

    async def _or_reject(
        self, handling: Awaitable[_Result], job_id: str = "", token: str = ""
    ) -> _Result | None:
        """Answer a refusal with a rejection; the session goes on.

        So it does where this node does not know a job, while it may know others that the worker resumes next. Other
        errors of the store concern all jobs, and end the session.
        """
        try:
            return await handling
        except (Refusal, StoreBehind) as error:
            refusal = refusal_of(error)
            assert refusal is not None
            self._responses.put(rejection(job_id, refusal, token))
            drop_tracebacks(error)  # which have the session
            return None

    async def _check_access(self, job_id: str) -> None:
        await self._access.check(self._session.principal, Action.WORK, job_id)

    async def _claim(self, claim: Claim) -> asyncio.Future[None]:
        validation.claim(claim)
        await self._check_access(claim.job_id)
        instance = self._session.own_instance(claim.instance)
        return self._dispatcher.claim(self._session, claim.job_id, instance)

    async def _resume(self, resume: Resume) -> None:
        validation.job_id(resume.job_id)
        await self._check_access(resume.job_id)
        caller = self._session.caller
        await self._attempts.resume(resume.job_id, resume.lease_token, caller=caller)
        self._deadlines.renew([resume.job_id])
        # Hold the job before reading it again, so that no transition is missed in between.
        self._sessions.hold(self._session, resume.job_id, resume.lease_token)
        try:
            report_sequence, job = await self._attempts.resume(
                resume.job_id, resume.lease_token, caller=caller
            )
        except (Refusal, StoreBehind):
            self._sessions.stop_holding(self._session, resume.job_id)
            raise
        resumed = Resumed(job_id=resume.job_id, acknowledged_report_sequence=report_sequence)
        if job.HasField("cancellation"):
            resumed.cancellation.CopyFrom(job.cancellation)
        self._responses.put(WorkResponse(resumed=resumed))

    async def _release(self, release: Release) -> None:
        validation.job_id(release.job_id)
        await self._check_access(release.job_id)
        self._session.ending.add(release.job_id)
        try:
            await self._attempts.release(release.job_id, release.lease_token, caller=self._session.caller)
        finally:
            self._session.ending.discard(release.job_id)

    async def _change_capacity(self, capacity: Capacity) -> None:
        validation.capacity(capacity)
        self._sessions.resize(self._session, capacity.max_concurrency)
