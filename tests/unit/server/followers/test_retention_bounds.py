"""The effective limit of events for a job with its own limit, on a server with one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

import pytest

from milepost.server.followers.retention import Retention, RetentionPolicy
from milepost.server.log.event_log import EndedJob
from milepost.v1 import JobEnded, JobState, Update
from milepost.v1 import Retention as RetentionMessage
from tests.support.rpc import eventually, log_line
from tests.unit.server.core import Core


@pytest.mark.parametrize(
    ("own", "server", "first"),
    [(100, 400, 403), (1000, 400, 1), (0, 400, 103), (100, 0, 403), (0, 0, 1)],
)
async def test_a_jobs_own_bound_comes_before_the_servers(
    core: Core, own: int, server: int, first: int
) -> None:
    """Whether it is the smaller one or the larger; the server's holds where a job has none, and 0 is no bound.

    Of 502 events the newest are kept: trimming is by whole commits, here of 50 events.
    """
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(max_events=server), interval=60)
    core.log.add_listener(retention.on_entries)
    await core.submit(retention=RetentionMessage(max_events=own))
    token = await core.start()
    for _ in range(10):
        await core.report(token, *[log_line("x")] * 50)

    await retention.sweep()
    assert (await core.journal.find("j")).first_sequence == first


async def test_a_sweep_follows_one_that_failed(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its error was, such as that of a read: nothing would be deleted for as long as the server runs."""
    read, failures = core.log.ended, [sqlite3.OperationalError("unable to open database file")]

    async def ended(after: tuple[int, int], limit: int) -> Sequence[EndedJob]:
        if failures:
            raise failures.pop()
        return await read(after, limit)

    monkeypatch.setattr(core.log, "ended", ended)
    await core.submit()
    await core.report(await core.start(), Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)))
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(jobs=0), interval=0.01)
    sweeping = asyncio.create_task(retention.run())

    async def deleted() -> bool:
        return await core.log.find("j") is None

    await eventually(deleted)
    sweeping.cancel()
    assert failures == []
