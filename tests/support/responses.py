"""What the server hands to gRPC, as clients decode it."""

from __future__ import annotations

from milepost.server.messages.job_encoding import JobResponse
from milepost.v1 import WorkResponse


def decoded(response: WorkResponse | JobResponse) -> WorkResponse:
    """The response as the worker decodes it."""
    return WorkResponse.FromString(response.encode()) if isinstance(response, JobResponse) else response
