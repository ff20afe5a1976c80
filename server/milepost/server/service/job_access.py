"""Authorise calls that name a job."""

from __future__ import annotations

from typing import Final

from milepost.contract.reasons import reason_name
from milepost.server.access.audit import AuditLog
from milepost.server.access.authorize import (
    Action,
    Target,
    Verdict,
    authorize,
    check,
    check_scope,
    exists_for,
)
from milepost.server.access.current_principal import current_caller, current_peer
from milepost.server.access.principal import Principal
from milepost.server.base.refusal import job_not_found
from milepost.server.log.event_log import EventLog, JobIdentity
from milepost.v1 import ErrorReason

_NO_JOB: Final = JobIdentity("", "", "")
"""Stands in for a job that is missing."""

_JOB_NOT_FOUND: Final = reason_name(ErrorReason.ERROR_REASON_JOB_NOT_FOUND)


class JobAccess:
    """Checks what a principal may do to jobs that exist."""

    def __init__(self, log: EventLog, audit: AuditLog) -> None:
        self._log = log
        self._audit = audit

    async def check(self, principal: Principal, action: Action, job_id: str) -> None:
        """Raise PERMISSION_DENIED or JOB_NOT_FOUND unless the principal may do this to the job.

        What is looked up of a job never changes, so the answer holds while the job exists. Another owner may use its id
        after that, so whoever reads the job later checks it once more. A principal for which all jobs exist costs no
        lookup: the action itself finds whether the job does.
        """
        check_scope(principal, action)
        if principal.is_unrestricted:
            return
        target = await self.find(principal, job_id, current_caller())
        if authorize(principal, action, target) is not Verdict.NOT_FOUND:
            check(principal, action, job_id, target)
            return
        # The caller learns that there is no such job, in the same time; only the operator learns that there is.
        outcome = _JOB_NOT_FOUND if target is None else "FOREIGN_JOB"
        self._audit.write(principal, current_peer(), action.name.lower(), job_id, outcome)
        refusal = job_not_found(job_id)
        refusal.is_recorded = True
        raise refusal

    async def find(self, principal: Principal, job_id: str, caller: str) -> Target | None:
        """The job that an action is about; None if there is none.

        One that does not exist for the principal is looked up twice: another node may have another job with its id by
        now. A foreign job takes the same steps as a missing one, so that its caller cannot tell them apart by time.
        """
        identity = await self._log.identify(job_id, caller=caller)
        if not exists_for(principal, _target(job_id, identity)) or identity is None:
            await self._log.catch_up(job_id)
            identity = await self._log.identify(job_id, caller=caller)
        target = _target(job_id, identity)
        return None if identity is None else target


def _target(job_id: str, identity: JobIdentity | None) -> Target:
    return Target(job_id, *(identity or _NO_JOB)[:3])
