"""Authorise calls that name a job."""

from __future__ import annotations

from milepost.server.access.audit import AuditLog
from milepost.server.access.authorize import Action, Target, Verdict, authorize, check, check_scope
from milepost.server.access.current import current_caller, current_peer
from milepost.server.access.principal import Principal
from milepost.server.journal import Journal


class JobAccess:
    """Checks what a principal may do to jobs that exist."""

    def __init__(self, journal: Journal, audit: AuditLog) -> None:
        self._journal = journal
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
        identity = await self._journal.identify(job_id, caller=current_caller())
        target = None if identity is None else Target(job_id, *identity[:3])
        if target is not None and authorize(principal, action, target) is Verdict.NOT_FOUND:
            # The caller learns that there is no such job; only the operator learns that there is.
            self._audit.write(principal, current_peer(), action.name.lower(), job_id, "FOREIGN_JOB")
        check(principal, action, job_id, target)
