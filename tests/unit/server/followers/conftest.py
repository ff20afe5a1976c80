"""Fixtures of tests of the log's followers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from milepost.server.followers.deadlines import Deadlines
from milepost.server.followers.transitions import follow_transitions
from tests.unit.server.core import Core
from tests.unit.server.followers.core_deadlines import core_deadlines


@pytest.fixture
async def deadlines(core: Core) -> AsyncIterator[Deadlines]:
    """The deadlines of the core."""
    made = core_deadlines(core)
    follow_transitions(core.log, made.on_transition)
    yield made
    made.close()
