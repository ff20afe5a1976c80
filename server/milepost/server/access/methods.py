"""The action of each RPC. An RPC without an entry is denied to everyone who needs a credential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from milepost.server.access.authorize import Action, check_scope
from milepost.server.access.principal import Principal
from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason

ACTIONS: Final[Mapping[str, Action]] = {
    "/milepost.v1.JobService/SubmitJob": Action.SUBMIT,
    "/milepost.v1.JobService/GetJob": Action.READ,
    "/milepost.v1.JobService/ListJobs": Action.READ,
    "/milepost.v1.JobService/CancelJob": Action.CANCEL,
    "/milepost.v1.JobService/DeleteJob": Action.DELETE,
    "/milepost.v1.JobService/WatchJob": Action.READ,
    "/milepost.v1.JobService/WatchJobs": Action.READ,
    "/milepost.v1.JobService/ShareJob": Action.SHARE,
    "/milepost.v1.JobService/RevokeShares": Action.SHARE,
    "/milepost.v1.JobService/WhoAmI": Action.IDENTIFY,
    "/milepost.v1.JobService/GetHistory": Action.READ,
    "/milepost.v1.WorkerService/Work": Action.WORK,
    "/milepost.v1.WorkerService/ReportJob": Action.WORK,
    "/milepost.v1.AdminService/ListWorkers": Action.ADMINISTER,
    "/milepost.v1.AdminService/GetStats": Action.ADMINISTER,
    "/milepost.v1.AdminService/BackUp": Action.ADMINISTER,
}
"""By the method's path."""


def check_method(principal: Principal, method: str) -> None:
    """Raise PERMISSION_DENIED unless the principal has the scope that the RPC needs, before its request is read."""
    action = ACTIONS.get(method)
    if action is None:
        raise Refusal(
            ErrorReason.ERROR_REASON_PERMISSION_DENIED,
            f"{method} is open to nobody: the server does not know which scope it needs.",
            metadata={"subject": principal.subject},
        )
    check_scope(principal, action)
