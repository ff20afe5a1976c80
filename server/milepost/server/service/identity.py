"""The identity, rights and usage of a principal, for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from milepost.server.access.limits.limiter import Limiter
from milepost.server.access.limits.principal_limits import RATES
from milepost.server.access.limits.rates import BURST
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.messages.timestamps import timestamp
from milepost.v1 import PrincipalLimit, WhoAmIResponse


class Identity:
    """Describes principals. ``open_watches`` returns the number of open watches of the caller with a key."""

    def __init__(self, limiter: Limiter, open_watches: Callable[[str], int]) -> None:
        self._limiter = limiter
        self._open_watches = open_watches

    def describe(self, principal: Principal, caller: str) -> WhoAmIResponse:
        """Describe the caller: its identity, rights, limits and usage."""
        return WhoAmIResponse(
            subject=principal.subject,
            owners=sorted(principal.owners or ()),
            all_owners=principal.owners is None,
            scopes=sorted(principal.scopes),
            kinds=principal.kinds,
            job_id=principal.job_id,
            expire_time=None if principal.expire_time is None else timestamp(principal.expire_time),
            credential_id=principal.credential_id,
            limits=[] if principal is ANONYMOUS else self._limits(principal, caller),
        )

    def _limits(self, principal: Principal, caller: str) -> Iterator[PrincipalLimit]:
        limits = self._limiter.of(principal)
        used = self._limiter.used(principal, self._open_watches(caller))
        for name, maximum, usage in zip(limits._fields, limits, used, strict=True):
            burst = round(maximum * BURST) if name in RATES else 0
            yield PrincipalLimit(name=name, maximum=maximum, used=usage, burst=burst)
