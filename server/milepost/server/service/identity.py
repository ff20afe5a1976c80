"""What a principal may know of itself."""

from __future__ import annotations

from milepost.server.access.principal import Principal
from milepost.server.base.timestamps import timestamp
from milepost.v1 import WhoAmIResponse


def describe(principal: Principal) -> WhoAmIResponse:
    """Who the caller is and what it may do."""
    return WhoAmIResponse(
        subject=principal.subject,
        owners=sorted(principal.owners or ()),
        all_owners=principal.owners is None,
        scopes=sorted(principal.scopes),
        kinds=principal.kinds,
        job_id=principal.job_id,
        expire_time=None if principal.expire_time is None else timestamp(principal.expire_time),
        credential_id=principal.credential_id,
    )
