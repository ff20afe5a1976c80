"""Authorisation: one pure function for every surface, and the filter that a principal's lists are narrowed to.

A job of another owner does not exist (rule 10), so a call that names one gets the answer of a call that names no job.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from milepost.server.access.principal import Principal, Scope
from milepost.server.base.refusal import Refusal, job_not_found
from milepost.v1 import ErrorReason, Job


class Action(Enum):
    """An action of a call on a job, or on the server. The values are verbs for the texts of refusals."""

    SUBMIT = "submit"
    READ = "read"
    CANCEL = "cancel"
    DELETE = "delete"
    WORK = "work on"
    ADMINISTER = "administer"
    SHARE = "share"
    IDENTIFY = "identify itself"


SCOPES: Final[Mapping[Action, Scope]] = {
    Action.SUBMIT: Scope.SUBMIT,
    Action.READ: Scope.READ,
    Action.CANCEL: Scope.CANCEL,
    Action.DELETE: Scope.SUBMIT,
    Action.WORK: Scope.WORK,
    Action.ADMINISTER: Scope.ADMIN,
    Action.SHARE: Scope.READ,
}
"""The scope that each action needs; an action without an entry needs a credential only."""


class Target(NamedTuple):
    """The job that an action is about: one that exists, or one that is to be created."""

    job_id: str
    owner: str
    kind: str
    parent_job_id: str = ""

    @classmethod
    def of(cls, job: Job) -> Target:
        """The target of an action on this job."""
        return cls(job.job_id, job.owner, job.kind, job.parent_job_id)


class Verdict(Enum):
    """The outcome of an authorisation."""

    ALLOWED = auto()
    NOT_FOUND = auto()
    """The job does not exist for this principal."""
    DENIED = auto()
    """The principal may not do this, whatever the job."""


def authorize(principal: Principal, action: Action, target: Target | None) -> Verdict:
    """Decide whether the principal may do this to the job; None stands for a job that does not exist.

    The order keeps foreign jobs secret: first the scope, whose answer depends on no job; then whether the job exists
    for the principal; last the kinds that the principal is restricted to.
    """
    if not _has_scope(principal, action):
        return Verdict.DENIED
    if action is Action.IDENTIFY:
        return Verdict.ALLOWED
    if action is Action.ADMINISTER:
        # Actions on the whole server take a principal of all owners.
        return Verdict.DENIED if principal.job_id or principal.owners is not None else Verdict.ALLOWED
    if action is Action.SHARE and principal.job_id:
        # A share cannot be passed on: it would outlive the one that it comes from.
        return Verdict.DENIED
    if target is None:
        return Verdict.NOT_FOUND
    if action is Action.SUBMIT:
        allowed = principal.owns(target.owner) and principal.job_id in ("", target.parent_job_id)
        if not allowed:
            return Verdict.DENIED
    elif not exists_for(principal, target):
        return Verdict.NOT_FOUND
    if action in (Action.SUBMIT, Action.WORK) and not principal.takes(target.kind):
        return Verdict.DENIED
    return Verdict.ALLOWED


def exists_for(principal: Principal, target: Target) -> bool:
    """Whether the principal may know that the job exists."""
    in_scope = not principal.job_id or principal.job_id in (target.job_id, target.parent_job_id)
    return in_scope and principal.owns(target.owner)


def check(principal: Principal, action: Action, job_id: str, target: Target | None) -> None:
    """Raise JOB_NOT_FOUND or PERMISSION_DENIED unless the principal may do this to the job with the id."""
    verdict = authorize(principal, action, target)
    if verdict is Verdict.NOT_FOUND:
        raise job_not_found(job_id)
    if verdict is Verdict.DENIED:
        raise permission_denied(principal, action, target)


def check_scope(principal: Principal, action: Action) -> None:
    """Raise PERMISSION_DENIED unless the principal has the scope of the action: before any job is looked up."""
    if not _has_scope(principal, action):
        raise permission_denied(principal, action, None)


def _has_scope(principal: Principal, action: Action) -> bool:
    scope = SCOPES.get(action)
    return scope is None or principal.has(scope)


def permission_denied(principal: Principal, action: Action, target: Target | None) -> Refusal:
    """The refusal of an action that the principal may not do; its text says what is missing."""
    scope = SCOPES[action]
    who = f"{principal.subject!r}"
    doing = action.value.removesuffix(" on")
    if not principal.has(scope):
        has = ", ".join(sorted(principal.scopes)) or "none"
        text = f"{who} may not {doing}: its scopes are {has}. Use a credential with the scope '{scope}'."
    elif principal.owners is not None and not principal.owners:
        text = f"{who} may not {doing}: its credential names no owner."
    elif target is not None and not principal.owns(target.owner):
        owners = ", ".join(sorted(repr(owner) for owner in principal.owners or ()))
        text = f"{who} may not {action.value} jobs of owner {target.owner!r}: its owners are {owners}."
    elif target is not None and not principal.takes(target.kind):
        kinds = ", ".join(map(repr, principal.kinds))
        text = f"{who} may not {action.value} jobs of kind {target.kind!r}: its kinds are {kinds}."
    elif action is Action.SHARE:
        text = f"The bearer of a share of {principal.job_id!r} may neither share it further nor revoke its shares."
    elif principal.job_id:
        text = f"The credential of {who} is for job {principal.job_id!r} and its children only."
    else:
        text = f"{who} may not {doing}: that is for a principal of all owners."
    return Refusal(
        ErrorReason.ERROR_REASON_PERMISSION_DENIED,
        text,
        metadata={"subject": principal.subject, "action": action.name.lower(), "scope": scope.value},
    )
