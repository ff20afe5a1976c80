"""The helper process of a Celery worker, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from milepost.client.engines.celery import helper_main


class Spoiled(helper_main._JobEnds):
    """Ends no job, since the spool cannot be used."""

    async def carry_out(self, command: Mapping[str, Any]) -> None:
        """Fail as opening a spool does."""
        raise PermissionError(13, "Permission denied", "/spool")


async def test_a_spool_that_cannot_be_used_ends_no_other_command(caplog: pytest.LogCaptureFixture) -> None:
    """The command goes to the log, and the helper carries out the next ones."""
    ends = Spoiled("127.0.0.1:1", {})
    slots = asyncio.Semaphore(1)
    await slots.acquire()
    await helper_main._carry_out(ends, {"job_id": "j"}, slots)

    assert caplog.messages == [
        "job j is not reported as ended: [Errno 13] Permission denied: '/spool'",
    ]
    assert not slots.locked()
