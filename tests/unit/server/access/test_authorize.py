"""Authorisation is one pure function; this table is its specification.

Each row gives a principal's scope, an action, and the verdicts on the principal's own job, on one of another owner, and
on one that does not exist. A job of another owner does not exist (rule 10).
"""

from __future__ import annotations

from typing import Any

import pytest

from milepost.server.access.authorize import Action, Target, Verdict, authorize, check, permission_denied
from milepost.server.access.principal import ANONYMOUS, Principal, Scope, can_match_kind
from milepost.server.base.refusal import Refusal

ALLOWED, NOT_FOUND, DENIED = Verdict.ALLOWED, Verdict.NOT_FOUND, Verdict.DENIED

OWN = Target("job-1", "team-a", "transcribe.audio")
FOREIGN = Target("job-2", "team-b", "transcribe.audio")
CHILD = Target("job-3", "team-a", "transcribe.track", parent_job_id="job-1")
FOREIGN_CHILD = Target("job-4", "team-b", "transcribe.track", parent_job_id="job-1")
OTHER = Target("job-5", "team-a", "transcribe.audio")

EXISTING = (Action.READ, Action.CANCEL, Action.DELETE, Action.WORK)
"""Actions on a job that exists."""

SCOPED = tuple(action for action in Action if action is not Action.IDENTIFY)
"""Actions that need a scope."""


def principal(*scopes: Scope, kinds: tuple[str, ...] = (), job_id: str = "") -> Principal:
    """A principal of team-a."""
    return Principal("ci", frozenset({"team-a"}), frozenset(scopes), kinds=kinds, job_id=job_id)


# Scope: for each action the verdict on (own, foreign, missing).
_NO = (DENIED, DENIED, DENIED)
_YES = (ALLOWED, NOT_FOUND, NOT_FOUND)
# A new job: of an own owner, of a foreign one; there is no missing one.
_MAY_SUBMIT = (ALLOWED, DENIED, NOT_FOUND)
TABLE = {
    Scope.SUBMIT: {Action.SUBMIT: _MAY_SUBMIT, Action.DELETE: _YES},
    Scope.READ: {Action.READ: _YES, Action.SHARE: _YES},
    Scope.CANCEL: {Action.CANCEL: _YES},
    Scope.WORK: {Action.WORK: _YES},
    Scope.ADMIN: {Action.SUBMIT: _MAY_SUBMIT, **dict.fromkeys((*EXISTING, Action.SHARE), _YES)},
}
ROWS = [
    (scope, action, target, verdict)
    for scope, actions in TABLE.items()
    for action in SCOPED
    for target, verdict in zip((OWN, FOREIGN, None), actions.get(action, _NO), strict=True)
]


@pytest.mark.parametrize(("scope", "action", "target", "verdict"), ROWS)
def test_scope(scope: Scope, action: Action, target: Target | None, verdict: Verdict) -> None:
    """A scope allows its actions on own jobs; a foreign job is answered like a missing one."""
    assert authorize(principal(scope), action, target) is verdict


@pytest.mark.parametrize("action", SCOPED)
def test_no_scope(action: Action) -> None:
    """Without a scope nothing is allowed, and the answer is the same for every job."""
    assert {authorize(principal(), action, target) for target in (OWN, FOREIGN, None)} == {DENIED}


@pytest.mark.parametrize("scopes", [(), *((scope,) for scope in Scope)])
@pytest.mark.parametrize("changed", [{}, {"kinds": ("x",)}, {"job_id": "job-1"}])
def test_identification(scopes: tuple[Scope, ...], changed: dict[str, Any]) -> None:
    """Whoever has a credential may ask who he is, whatever that is for."""
    assert authorize(principal(*scopes, **changed), Action.IDENTIFY, None) is ALLOWED


@pytest.mark.parametrize("action", Action)
def test_every_owner(action: Action) -> None:
    """A principal of all owners with all scopes may do everything to every job that exists."""
    assert {authorize(ANONYMOUS, action, target) for target in (OWN, FOREIGN, CHILD)} == {ALLOWED}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [({}, ALLOWED), ({"owners": frozenset({"team-a"})}, DENIED), ({"job_id": "job-1"}, DENIED)],
)
def test_administration(changed: dict[str, object], verdict: Verdict) -> None:
    """Administration concerns all owners: it is for principals of all owners, and of no single job."""
    fields: dict[str, Any] = {
        "subject": "root",
        "owners": None,
        "scopes": frozenset({Scope.ADMIN}),
        **changed,
    }
    assert authorize(Principal(**fields), Action.ADMINISTER, None) is verdict


@pytest.mark.parametrize("action", [Action.SUBMIT, Action.WORK])
@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("transcribe.audio", ALLOWED), ("transcribe", DENIED), ("transcribed.audio", DENIED), ("x", DENIED)],
)
def test_kinds(action: Action, kind: str, verdict: Verdict) -> None:
    """Kinds narrow submitting and working; a dot in a pattern is a dot."""
    narrowed = principal(*Scope, kinds=("transcribe.*",))
    assert authorize(narrowed, action, OWN._replace(kind=kind)) is verdict


@pytest.mark.parametrize(
    ("pattern", "can"),
    [
        *((pattern, True) for pattern in ("*", "**", "a*b**", "*.x", "*-", "x" * 64, f"*{'x' * 64}")),
        *(
            (pattern, False)
            for pattern in ("", "[", "a*b**[", "A*", "*Ö", "-x", "a b", "x" * 65, f"*.{'x' * 63}")
        ),
    ],
)
def test_patterns_of_kinds(pattern: str, can: bool) -> None:
    """Some match no kind at all."""
    assert can_match_kind(pattern) is can


@pytest.mark.parametrize("action", [Action.READ, Action.CANCEL, Action.DELETE])
def test_kinds_do_not_narrow_reading(action: Action) -> None:
    """Kinds narrow nothing else."""
    assert authorize(principal(*Scope, kinds=("other",)), action, OWN) is ALLOWED


def test_kinds_do_not_reveal_foreign_jobs() -> None:
    """A foreign job of a foreign kind is missing, not denied."""
    assert authorize(principal(Scope.WORK, kinds=("other",)), Action.WORK, FOREIGN) is NOT_FOUND


@pytest.mark.parametrize("action", EXISTING)
@pytest.mark.parametrize(
    ("target", "verdict"),
    [(OWN, ALLOWED), (CHILD, ALLOWED), (FOREIGN_CHILD, NOT_FOUND), (OTHER, NOT_FOUND), (None, NOT_FOUND)],
)
def test_one_job(action: Action, target: Target | None, verdict: Verdict) -> None:
    """A principal of one job has that job and its children, of its owners; no other job exists for it."""
    assert authorize(principal(*Scope, job_id="job-1"), action, target) is verdict


@pytest.mark.parametrize("target", [OWN, CHILD, OTHER, None])
def test_one_job_is_not_shared_further(target: Target | None) -> None:
    """A principal of one job shares neither it nor its children: its own rights end, and those would not."""
    assert authorize(principal(*Scope, job_id="job-1"), Action.SHARE, target) is DENIED


@pytest.mark.parametrize(("target", "verdict"), [(CHILD, ALLOWED), (OTHER, DENIED), (OWN, DENIED)])
def test_one_job_submits_its_children(target: Target, verdict: Verdict) -> None:
    """A principal of one job submits children of that job, and nothing else."""
    assert authorize(principal(*Scope, job_id="job-1"), Action.SUBMIT, target) is verdict


@pytest.mark.parametrize("action", EXISTING)
def test_the_same_refusal(action: Action) -> None:
    """The refusals of a foreign job and of a missing one have the same reason, text and details."""
    told = []
    for target in (FOREIGN, None):
        with pytest.raises(Refusal) as refused:
            check(principal(*Scope), action, "job-2", target)
        told.append((refused.value.reason, refused.value.message, refused.value.metadata))
    assert told[0] == told[1]


def test_what_is_missing() -> None:
    """A denial names the principal, what it has, and the scope that it needs."""
    refusal = permission_denied(principal(Scope.READ, Scope.SUBMIT), Action.CANCEL, None)
    assert refusal.message == (
        "'ci' may not cancel: its scopes are read, submit. Use a credential with the scope 'cancel'."
    )
    assert refusal.metadata == {"subject": "ci", "action": "cancel", "scope": "cancel"}
    work = permission_denied(principal(Scope.READ), Action.WORK, None)
    assert work.message == "'ci' may not work: its scopes are read. Use a credential with the scope 'work'."
