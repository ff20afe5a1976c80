"""The ordinary user beside an attack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

from bench import work
from bench.abuse.probe import Reports, Seen
from bench.processes import MeasurementFailed


class EndedSession:
    """A session that ends when its first acknowledgement is waited for."""

    reported = 0

    async def acknowledged(self, report_sequence: int) -> None:
        """Fail as `work.receive` does."""
        raise MeasurementFailed("the session ended")


async def nothing() -> AsyncIterator[bytes]:
    """A watch without messages."""
    await asyncio.Event().wait()
    yield b""


async def test_why_a_reader_has_failed_is_seen_by_the_user() -> None:
    """Whoever uses the service at that moment: a failure of another time would be told to nobody."""
    reports = Reports(cast(work.Session, EndedSession()), nothing())
    seen = Seen([], [], [], [])
    reports.begin(seen)

    await asyncio.sleep(0)
    await reports.close()

    assert seen.failures == ["acknowledgements: the session ended"]
