"""The reconnect loop of a worker and of a block."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.target import Target
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.session import Session
from milepost.client._worker.session_loop import SessionLoop


@pytest.mark.parametrize("passes", range(5))
async def test_who_waits_for_the_end_can_be_cancelled(passes: int) -> None:
    """Also so many passes of the event loop after the session has ended: a cancellation that was taken is raised."""
    sessions = SessionLoop(LazyChannel(Target.of("127.0.0.1:1")), JobTable({}, 1), "w", 1.0)
    sessions._session = cast("Session", SimpleNamespace(finish=lambda: None))
    finishing = asyncio.create_task(sessions.finish(60.0))
    for _ in range(5):
        await asyncio.sleep(0)  # it waits
    sessions._ended.set()
    for _ in range(passes):
        await asyncio.sleep(0)
    taken = finishing.cancel()
    await asyncio.wait((finishing,))

    assert finishing.cancelled() == taken
