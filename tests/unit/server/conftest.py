"""What the tests of the server's insides share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milepost.server.turns import follow_turns
from milepost.server.working.dispatcher import Dispatcher
from tests.unit.server.house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An empty house."""
    opened = House(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def dispatcher(house: House) -> AsyncIterator[Dispatcher]:
    """One that follows the house's log."""
    made = Dispatcher(house.attempts, house.clock, house.tasks)
    follow_turns(house.log, made.on_turn)
    yield made
    made.close()
