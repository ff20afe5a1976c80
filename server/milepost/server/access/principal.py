"""Principals: who makes a call, with what it may do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from milepost.contract import limits

EVERY_OWNER = "*"
"""Stands for all owners where owners are named."""


class Scope(StrEnum):
    """A permission of a credential."""

    SUBMIT = "submit"
    """Submit jobs, and delete them once they have ended."""
    READ = "read"
    """Get, list and watch jobs."""
    CANCEL = "cancel"
    """Cancel jobs."""
    WORK = "work"
    """Take, claim and report jobs."""
    ADMIN = "admin"
    """All of these, and the administration of the server."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity behind a call, as its credential says.

    Attributes:
        subject: Its name, for people and for the audit log.
        owners: The owners whose jobs exist for it; None for all owners.
        scopes: What it may do.
        kinds: Patterns of the kinds that it may submit and work on, where ``*`` stands for any text; none for any kind.
        job_id: The only job, with its children, that exists for it; empty for any.
        expire_time: When the credential expires, in nanoseconds since 1970; None for never.
        credential_id: Names the credential in logs, and tells nothing of its secret; empty for none.
        limits: Names and values of limits that its credential sets (see ``principal_limits``); the server's otherwise.
        key: What verifies the credential: a token's entry by its digest, a certificate's by its name, or the issuer's
            key by its fingerprint; empty for none. It does not identify the principal.
    """

    subject: str
    owners: frozenset[str] | None
    scopes: frozenset[Scope]
    kinds: tuple[str, ...] = ()
    job_id: str = ""
    expire_time: int | None = None
    credential_id: str = ""
    limits: tuple[tuple[str, int], ...] = ()
    key: str = field(default="", compare=False, repr=False)

    def has(self, scope: Scope) -> bool:
        """Whether it has the scope; ADMIN includes all others."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def author(self) -> str:
        """The name under which events record its requests; empty for ``ANONYMOUS``."""
        return "" if self is ANONYMOUS else self.subject

    @property
    def is_unrestricted(self) -> bool:
        """Whether all jobs exist for it, of every kind."""
        return self.owners is None and not self.kinds and not self.job_id

    @property
    def dispatched_owners(self) -> frozenset[str] | None:
        """The owners whose queued jobs are assigned to it; None for all.

        A principal of one job is assigned none: it claims its job.
        """
        return frozenset() if self.job_id else self.owners

    def owns(self, owner: str) -> bool:
        """Whether the owner's jobs exist for it."""
        return self.owners is None or owner in self.owners

    def takes(self, kind: str) -> bool:
        """Whether it may submit and work on jobs of the kind."""
        return not self.kinds or any(_pattern(pattern).fullmatch(kind) for pattern in self.kinds)


ANONYMOUS = Principal("anonymous", owners=None, scopes=frozenset(Scope))
"""Everyone, where the server has no credentials configured."""


def can_match_kind(pattern: str) -> bool:
    """Whether some kind matches the pattern; one that none matches is a mistake."""
    # A star may stand for nothing, and the first one for what a kind has to begin with.
    shortest = pattern.replace("*", "")
    candidates = (shortest, f"0{shortest}") if pattern.startswith("*") else (shortest,)
    return any(limits.KIND.fullmatch(kind) for kind in candidates)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    # Each text between two stars is matched where it comes first, and never again: many stars would take for ever.
    first, *rest = map(re.escape, text.split("*"))
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(first + middle + (f".*{rest[-1]}" if rest else ""))
