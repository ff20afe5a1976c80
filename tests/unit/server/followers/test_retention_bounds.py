"""The effective limit of events for a job with its own limit, on a server with one."""

from __future__ import annotations

import pytest

from milepost.server.followers.retention import Retention, RetentionPolicy
from milepost.v1 import Retention as RetentionMessage
from tests.support.rpc import log_line
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
