"""What people are told whose call the application that mounts Milepost does not allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from milepost.contract.limits import NAME_LENGTH

__all__ = ["ACTIONS", "named_in", "not_allowed"]

ACTIONS: Final[Mapping[str, str]] = {
    "CancelJob": "cancel",
    "DeleteJob": "delete",
    "GetHistory": "see the history of",
    "GetJob": "see",
    "ListJobs": "list jobs",
    "ListWorkers": "list workers",
    "RevokeShares": "revoke the shares of",
    "ShareJob": "share",
    "SubmitJob": "submit jobs of",
    "WatchJob": "watch",
    "WatchJobs": "watch jobs",
    "WhoAmI": "see who is signed in",
}
"""What each method does, in words before the name of the job or kind that its request is about."""


def named_in(request: Any) -> tuple[str, str]:
    """The id of the job and the kind that a request names; empty for none."""
    return getattr(request, "job_id", ""), getattr(request, "kind", "")


def not_allowed(method: str, job_id: str, kind: str) -> str:
    """The text of a refusal. It says nothing that the request did not: its caller may not know what there is."""
    named = f"kind {_quoted(kind)}" if kind else f"job {_quoted(job_id)}" if job_id else ""
    action = f"{ACTIONS.get(method, method)} {named}".rstrip()
    return (
        f"You may not {action} here. The application decides that, not Milepost: sign in as somebody who may, or ask "
        "those who run it."
    )


def _quoted(name: str) -> str:
    return repr(name if len(name) <= NAME_LENGTH else f"{name[:NAME_LENGTH]}…")
