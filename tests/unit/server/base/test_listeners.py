"""What becomes of the others where a listener fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from structlog.testing import capture_logs

from milepost.server.log.event_log import Entry
from tests.unit.server.core import Core


async def test_a_listener_that_fails_holds_up_nobody(core: Core) -> None:
    """Neither the other listeners nor those who wait for what has become durable; one line a minute tells the error."""
    seen: list[int] = []

    def fail(entries: Sequence[Entry]) -> None:
        raise KeyError("a fault")

    core.log.add_listener(fail)
    core.log.add_listener(lambda entries: seen.extend(entry.position for entry in entries))
    with capture_logs() as lines:
        async with asyncio.timeout(120):
            await core.submit("j")
            await core.submit("k")

    assert seen == [1, 2]
    failed = [repr(line["exc_info"]) for line in lines if line["event"] == "listener failed"]
    assert failed == ["KeyError('a fault')"]
