"""The line of a call on a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.server.rpc.access_log import access_line

ENTRY = {
    "timestamp": "23:40:35",
    "event": "call",
    "level": "info",
    "method": "/milepost.v1.JobService/SubmitJob",
    "code": "OK",
    "seconds": 0.0038,
    "peer": "ipv4:127.0.0.1:60220",
    "job_id": "J",
}


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "23:40:35 SubmitJob OK 4 ms 127.0.0.1 J"),
        ({"job_id": ""}, "23:40:35 SubmitJob OK 4 ms 127.0.0.1"),
        (
            {"code": "NOT_FOUND", "reason": "JOB_NOT_FOUND"},
            "23:40:35 SubmitJob NOT_FOUND JOB_NOT_FOUND 4 ms 127.0.0.1 J",
        ),
        ({"peer": "ipv6:%5B::1%5D:60220"}, "23:40:35 SubmitJob OK 4 ms ::1 J"),
        ({"peer": "unix:/run/milepost.sock"}, "23:40:35 SubmitJob OK 4 ms unix:/run/milepost.sock J"),
        ({"seconds": 0.9994}, "23:40:35 SubmitJob OK 999 ms 127.0.0.1 J"),
        ({"seconds": 0.9999}, "23:40:35 SubmitJob OK 1.0 s 127.0.0.1 J"),
        ({"seconds": 59.4}, "23:40:35 SubmitJob OK 59.4 s 127.0.0.1 J"),
        ({"seconds": 245.2}, "23:40:35 SubmitJob OK 4 min 5 s 127.0.0.1 J"),
        ({"seconds": 11_545.0}, "23:40:35 SubmitJob OK 3 h 12 min 127.0.0.1 J"),
    ],
)
def test_a_call_is_one_short_line(more: dict[str, Any], line: str) -> None:
    """Time, method, status and reason, duration, peer and job."""
    assert access_line({**ENTRY, **more}) == line
