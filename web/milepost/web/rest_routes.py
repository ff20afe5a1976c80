"""The methods of Milepost as REST (https://google.aip.dev/127): a table beside the protos, not in them."""

from __future__ import annotations

from typing import Final, NamedTuple

COLLECTION: Final = "/v1/jobs"


class RestRoute(NamedTuple):
    """One method as a verb and a path. The parameter of a path is the field of the request that has its name."""

    verb: str
    path: str
    method: str
    has_body: bool = False
    """Whether the other fields of the request are its body; else they are query parameters."""


ROUTES: Final = (
    RestRoute("POST", "/v1/jobs", "SubmitJob", has_body=True),
    RestRoute("GET", "/v1/jobs", "ListJobs"),
    RestRoute("GET", "/v1/jobs:watch", "WatchJobs"),
    RestRoute("GET", "/v1/jobs/{job_id}", "GetJob"),
    RestRoute("DELETE", "/v1/jobs/{job_id}", "DeleteJob"),
    RestRoute("GET", "/v1/jobs/{job_id}:watch", "WatchJob"),
    RestRoute("POST", "/v1/jobs/{job_id}:cancel", "CancelJob", has_body=True),
    RestRoute("POST", "/v1/jobs/{job_id}:share", "ShareJob", has_body=True),
    RestRoute("POST", "/v1/jobs/{job_id}:revokeShares", "RevokeShares", has_body=True),
    RestRoute("GET", "/v1/kinds/{kind}/history", "GetHistory"),
    RestRoute("GET", "/v1/whoami", "WhoAmI"),
    RestRoute("GET", "/v1/workers", "ListWorkers"),
)
