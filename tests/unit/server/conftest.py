"""What the tests of the server's insides share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.followers.transitions import follow_transitions
from tests.unit.server.core import Core
from tests.unit.server.worker_sessions import WorkerSessions, worker_sessions


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """An empty core."""
    opened = Core(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def dispatcher(core: Core) -> AsyncIterator[Dispatcher]:
    """One that follows the core's log."""
    made = Dispatcher(core.attempts, core.sessions, core.clock, core.tasks)
    follow_transitions(core.log, core.sessions.on_transition, made.on_transition)
    yield made
    made.close()


@pytest.fixture
async def sessions(core: Core) -> AsyncIterator[WorkerSessions]:
    """The sessions of workers with the core."""
    async with worker_sessions(core) as opened:
        yield opened
