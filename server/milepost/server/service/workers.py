"""The calls of workers: validate, authorise, do. ``WorkerService`` calls these, with an authenticated principal."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Sequence

from milepost.server.access.authorize import Action, Target, check, permission_denied
from milepost.server.access.principal import Principal
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.node_presence import NoPeers, Peers
from milepost.server.service import validation
from milepost.server.service.session_parts import SessionParts
from milepost.v1 import ReportJobRequest, ReportJobResponse, WorkRequest


class Workers:
    """Connect workers, and take the reports that they send outside of a session.

    ``parts`` is what the sessions use. Each call raises what the contract says.
    """

    def __init__(self, parts: SessionParts) -> None:
        self.parts = parts
        # The session of each worker process, by ``Hello.instance``.
        self._instances: dict[str, Session] = {}
        self._peers: Peers = NoPeers()

    def start(self, peers: Peers) -> None:
        """Tell the other nodes which worker processes connect here from now on."""
        self._peers = peers

    def open(self, principal: Principal, first: WorkRequest, peer: str, responses: ByteBudget) -> Session:
        """Make the session that the first message of a worker asks for. See ``Session``.

        Raises INVALID_FIELD and PERMISSION_DENIED.
        """
        validation.hello(first)
        _check_kinds(principal, first.hello.kinds)
        return Session(first.hello, peer, principal, responses)

    def connect(self, session: Session, job_ids: Collection[str]) -> None:
        """Give the session jobs from now on, and requeue what its worker process was assigned but does not have among
        ``job_ids``. An older session of the process is closed.
        """
        if session.instance:
            # The worker process has one session: it has left the older one, even if the server has not noticed yet.
            self._close_older(session.instance)
            self._instances[session.instance] = session
            self._peers.worker_connected(session.instance)
        self.parts.dispatcher.connect(session, frozenset(job_ids))

    def connected_elsewhere(self, instance: str) -> None:
        """Close the session of a worker process that has connected to another node."""
        self._close_older(instance)

    def disconnect(self, session: Session) -> None:
        """The stream of the session has ended."""
        if self._instances.get(session.instance) is session:
            del self._instances[session.instance]
        self.parts.sessions.remove(session)
        session.responses.discard()
        if session.listening_since == math.inf:  # its last messages may be unread
            self.parts.deadlines.renew(session.jobs)

    async def report(self, principal: Principal, request: ReportJobRequest, caller: str) -> ReportJobResponse:
        """Accept all updates of a report, or none, and return once they are durable. Without any, renew the lease."""
        validation.report(request)
        await self.parts.access.check(principal, Action.WORK, request.job_id)
        if not request.updates:
            return await self._renew(request, caller)
        self.parts.limiter.admit_events(principal, len(request.updates))
        return await self._accept(request, caller)

    async def _renew(self, request: ReportJobRequest, caller: str) -> ReportJobResponse:
        report_sequence, job = await self.parts.attempts.resume(
            request.job_id, request.lease_token, caller=caller
        )
        self.parts.deadlines.renew([request.job_id])
        return ReportJobResponse(
            report_sequence=report_sequence,
            last_sequence=job.last_sequence,
            cancellation=job.cancellation if job.HasField("cancellation") else None,
        )

    async def _accept(self, request: ReportJobRequest, caller: str) -> ReportJobResponse:
        pending = await self.parts.reports.accept(
            request.job_id,
            request.lease_token,
            request.first_report_sequence,
            request.updates,
            atomic=True,
            caller=caller,
            during=self.parts.deadlines.suspend_expiry,
        )
        with self.parts.deadlines.suspend_expiry(request.job_id):
            accepted = await asyncio.shield(pending.durable)
        return ReportJobResponse(
            report_sequence=accepted.report_sequence,
            last_sequence=accepted.last_sequence,
            cancellation=await self.parts.attempts.cancellation(
                request.job_id, request.lease_token, caller=caller
            ),
        )

    def _close_older(self, instance: str) -> None:
        older = self._instances.pop(instance, None)
        if older is not None:
            self.parts.sessions.remove(older)
            older.responses.close()


def _check_kinds(principal: Principal, kinds: Sequence[str]) -> None:
    """Raise PERMISSION_DENIED for a kind that the principal may not work on, with any owner of its own."""
    if principal.owners is not None and not principal.owners:
        raise permission_denied(principal, Action.WORK, None)
    owner = min(principal.owners or ("",))
    for kind in kinds:
        check(principal, Action.WORK, "", Target(principal.job_id, owner, kind))
