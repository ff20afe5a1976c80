"""The calls on jobs: validate, authorise, do. Every surface calls these, with an authenticated principal."""

from __future__ import annotations

from functools import partial
from typing import Final

from milepost.contract import limits
from milepost.server import decide
from milepost.server.access.authorize import Action, Target, check, check_scope, exists_for, permission_denied
from milepost.server.access.credentials.shares import Shares
from milepost.server.access.narrowing import narrow
from milepost.server.access.principal import Principal, Scope
from milepost.server.base.refusal import job_not_found
from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.estimation.estimators import Estimators
from milepost.server.estimation.kind_summary import kind_summary
from milepost.server.estimation.queue_estimates import hide_place
from milepost.server.journal import Journal
from milepost.server.log.event_log import EventLog
from milepost.server.messages.field_checks import Check
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.messages.timestamps import nanoseconds, timestamp
from milepost.server.scheduling.caller_pace import CallerPace
from milepost.server.scheduling.slices import Slices
from milepost.server.service import job_listing, validation
from milepost.server.service.job_access import JobAccess
from milepost.server.submissions import Submissions
from milepost.server.watching.subscriber import Send
from milepost.server.watching.watches import Watches
from milepost.v1 import (
    CancelJobRequest,
    CancelJobResponse,
    DeleteJobRequest,
    DeleteJobResponse,
    Event,
    GetHistoryRequest,
    GetHistoryResponse,
    GetJobRequest,
    GetJobResponse,
    Job,
    ListJobsRequest,
    RevokeSharesRequest,
    RevokeSharesResponse,
    ShareJobRequest,
    ShareJobResponse,
    SubmitJobRequest,
    SubmitJobResponse,
    Waiting,
    WatchJobRequest,
    WatchJobsRequest,
)

LISTS_LIMIT: Final = 2
"""Pages of ``ListJobs`` that are made for one caller at a time."""


class Jobs:
    """Submit, get, list, cancel, delete and watch jobs.

    ``caller`` is the key of who calls (see ``current_caller``): callers take turns. Each call raises what the contract
    says, and PERMISSION_DENIED where the principal lacks the scope.
    """

    def __init__(
        self,
        log: EventLog,
        journal: Journal,
        submissions: Submissions,
        watches: Watches,
        waits: WaitReasons,
        slices: Slices,
        access: JobAccess,
        shares: Shares,
        estimators: Estimators,
    ) -> None:
        self._log = log
        self._journal = journal
        self._access = access
        self._submissions = submissions
        self._watches = watches
        self._waits = waits
        self._slices = slices
        self._shares = shares
        self._estimators = estimators
        self._lists = CallerPace(LISTS_LIMIT)

    async def submit(self, principal: Principal, request: SubmitJobRequest, caller: str) -> JobResponse:
        """Accept a job. Without an owner it gets that of its parent, or the only owner of its principal."""
        check_scope(principal, Action.SUBMIT)
        await self._slices.run(validation.submit(request), caller)
        names_owner = bool(request.owner)
        if request.parent_job_id:
            await self._look_at_parent(principal, request, caller)
        inherits_owner = bool(request.owner) and not names_owner
        _set_owner(principal, Action.SUBMIT, request)
        target = Target(request.job_id, request.owner, request.kind, request.parent_job_id)
        check(principal, Action.SUBMIT, request.job_id, target)
        job = await self._submissions.submit(request, caller, principal, inherits_owner=inherits_owner)
        # Since the submission, or the one before that it repeats, the job may be deleted, and its id another owner's.
        if not exists_for(principal, Target.of(job)):
            raise job_not_found(job.job_id)
        return JobResponse(SubmitJobResponse(), job)

    async def get(self, principal: Principal, request: GetJobRequest, caller: str) -> JobResponse:
        """Get a job."""
        validation.job_id(request.job_id)
        await self._access.check(principal, Action.READ, request.job_id)
        job = await self._journal.find(request.job_id, caller=caller)
        check(principal, Action.READ, request.job_id, Target.of(job))
        waiting = self._waits.of_job(job)
        if waiting is not None:
            await self._estimators.queue.add(job, waiting, caller)
            if principal.job_id:
                hide_place(waiting)
        await self._estimators.jobs.add_to(job, caller)
        return JobResponse(GetJobResponse(waiting=waiting), job)

    async def list(self, principal: Principal, request: ListJobsRequest, caller: str) -> bytes:
        """List jobs, narrowed to those that exist for the principal; the response is encoded."""
        check_scope(principal, Action.READ)
        validation.list_jobs(request)
        narrowed = narrow(principal, request.filter)

        def waiting_of(job: Job) -> Waiting | None:
            waiting = self._waits.of_job(job)
            if waiting is not None:
                self._estimators.queue.add_place(job, waiting)
                if principal.job_id:
                    hide_place(waiting)
            return waiting

        async with self._lists.turn(caller):
            return await job_listing.page(
                self._log, request, narrowed, caller, self._estimators.jobs, waiting_of
            )

    async def cancel(self, principal: Principal, request: CancelJobRequest, caller: str) -> JobResponse:
        """Cancel a job and its children."""
        validation.cancel(request)
        await self._access.check(principal, Action.CANCEL, request.job_id)
        cancel = decide.cancel_requested(request, self._journal.ages.age, principal.author)

        events: list[Event] = []

        def decision(job: Job, now: int) -> list[Event]:
            nonlocal events
            check(principal, Action.CANCEL, request.job_id, Target.of(job))
            events = cancel(job, now)
            return events

        await self._journal.commit(request.job_id, decision, caller=caller)
        find = self._journal.find if events else self._journal.find_ended
        job = await find(request.job_id, caller=caller)
        check(principal, Action.CANCEL, request.job_id, Target.of(job))
        return JobResponse(CancelJobResponse(), job)

    async def delete(self, principal: Principal, request: DeleteJobRequest, caller: str) -> DeleteJobResponse:
        """Delete a job that has ended."""
        validation.job_id(request.job_id)
        await self._access.check(principal, Action.DELETE, request.job_id)
        job = await self._journal.find_ended(request.job_id, caller=caller)
        check(principal, Action.DELETE, request.job_id, Target.of(job))
        await self._journal.delete(job)
        return DeleteJobResponse()

    async def share(self, principal: Principal, request: ShareJobRequest, caller: str) -> ShareJobResponse:
        """Make a token for a job and its children, which may never do more than the principal."""
        validation.share(request)
        can_cancel = Scope.CANCEL in request.scopes
        await self._access.check(principal, Action.SHARE, request.job_id)
        if can_cancel:
            await self._access.check(principal, Action.CANCEL, request.job_id)
        ttl = nanoseconds(request.ttl) / 10**9 if request.HasField("ttl") else limits.SHARE_TTL
        token, expire_time = await self._shares.issue(
            principal, request.job_id, ttl, can_cancel=can_cancel, caller=caller
        )
        return ShareJobResponse(token=token, expire_time=timestamp(expire_time))

    async def revoke_shares(
        self, principal: Principal, request: RevokeSharesRequest, caller: str
    ) -> RevokeSharesResponse:
        """Revoke all share tokens of a job that were made so far."""
        validation.job_id(request.job_id)
        await self._access.check(principal, Action.SHARE, request.job_id)
        job = await self._journal.find(request.job_id, caller=caller)
        check(principal, Action.SHARE, request.job_id, Target.of(job))
        await self._journal.revoke_shares(job)
        return RevokeSharesResponse()

    async def history(
        self, principal: Principal, request: GetHistoryRequest, caller: str
    ) -> GetHistoryResponse:
        """Summarise the past runs of a kind. One of another owner has none."""
        check_scope(principal, Action.READ)
        if principal.job_id:
            raise permission_denied(principal, Action.READ, None)
        validation.history(request)
        _set_owner(principal, Action.READ, request)
        if not principal.owns(request.owner):
            return GetHistoryResponse()
        history = await self._estimators.histories.get(request.owner, request.kind, caller)
        return await self._slices.run(kind_summary(history), caller)

    async def watch_job(
        self, principal: Principal, request: WatchJobRequest, caller: str, send: Send
    ) -> None:
        """Watch one job; ``send`` is called with serialised responses."""
        validation.watch_job(request)
        await self._watches.watch_job(
            request,
            caller,
            send,
            _watch_limit(principal),
            check=partial(self._access.check, principal, Action.READ, request.job_id),
            shows_place=not principal.job_id,
        )

    async def watch_jobs(
        self, principal: Principal, request: WatchJobsRequest, caller: str, send: Send
    ) -> None:
        """Watch all jobs that match and exist for the principal; ``send`` is called with serialised responses."""
        check_scope(principal, Action.READ)
        validation.watch_jobs(request)
        narrowed = narrow(principal, request.filter, with_parent=True)
        await self._watches.watch_jobs(request, narrowed, caller, send, _watch_limit(principal))

    async def _look_at_parent(self, principal: Principal, request: SubmitJobRequest, caller: str) -> None:
        """Set the owner of the parent where the request names none. To name a parent takes no further scope.

        Raises JOB_NOT_FOUND where the parent does not exist for the principal. Where all jobs do, the submission finds
        whether there is such a job: a repeated one succeeds without.
        """
        if principal.is_unrestricted and request.owner:
            return
        parent = await self._access.find(principal, request.parent_job_id, caller)
        if parent is not None and exists_for(principal, parent):
            request.owner = request.owner or parent.owner
        elif not principal.is_unrestricted:
            raise job_not_found(request.parent_job_id)


def _watch_limit(principal: Principal) -> int | None:
    """The limit of open watches that its credential sets; None for the server's."""
    return dict(principal.limits).get("watches")


def _set_owner(principal: Principal, action: Action, request: SubmitJobRequest | GetHistoryRequest) -> None:
    """Set the only owner of the principal where the request names none.

    Raises INVALID_FIELD if there are several, PERMISSION_DENIED for the action if there is none.
    """
    if request.owner or principal.owners is None or "" in principal.owners:
        return
    if not principal.owners:
        raise permission_denied(principal, action, None)
    if len(principal.owners) > 1:
        owners = ", ".join(sorted(map(repr, principal.owners)))
        problem = Check()
        problem.wrong("owner", f"must be set, since {principal.subject!r} has several owners: {owners}")
        problem.refuse()
    (request.owner,) = principal.owners
