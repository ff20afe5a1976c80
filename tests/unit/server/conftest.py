"""What the tests of the server's insides share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milepost.server.turns import follow_turns
from milepost.server.working.dispatcher import Dispatcher
from tests.unit.server.core import Core


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """An empty core."""
    opened = Core(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def dispatcher(core: Core) -> AsyncIterator[Dispatcher]:
    """One that follows the core's log."""
    made = Dispatcher(core.attempts, core.clock, core.tasks, core.roster)
    follow_turns(core.log, made.on_turn)
    yield made
    made.close()
