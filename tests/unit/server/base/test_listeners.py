"""What becomes of the others where a listener fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from milepost.server.log.event_log import Entry
from tests.unit.server.core import Core


async def test_a_listener_that_fails_holds_up_nobody(core: Core) -> None:
    """Neither the other listeners nor those who wait for what has become durable; the error is not lost."""
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
    seen: list[int] = []

    def fail(entries: Sequence[Entry]) -> None:
        raise KeyError("a fault")

    core.log.add_listener(fail)
    core.log.add_listener(lambda entries: seen.extend(entry.position for entry in entries))
    async with asyncio.timeout(120):
        await core.submit("j")

    assert seen == [1]
    assert [repr(error) for error in errors] == ["KeyError('a fault')"]
