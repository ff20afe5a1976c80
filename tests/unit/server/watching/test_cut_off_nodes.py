"""What a node says of events that it has not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from milepost.server.watching import job_stream, jobs_stream
from tests.support.held_log import HeldLog
from tests.support.rpc import eventually
from tests.support.validators import EventView
from tests.support.world import Subscriber, World


async def refusal(world: World, job_id: str, **start: Any) -> str:
    """Why a stream with this start is refused."""
    subscriber = Subscriber(world, job_id, EventView(), **start)
    subscriber.watch()

    async def has_ended() -> bool:
        return not subscriber.is_watching

    await eventually(has_ended)
    return subscriber.reason


@pytest.mark.parametrize("is_shared", [False, True])
async def test_a_node_that_is_cut_off_calls_no_cursor_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_shared: bool
) -> None:
    """Other nodes may have what it has not read (rule 4); where there are none, there is nothing else."""
    for module in (job_stream, jobs_stream):
        monkeypatch.setattr(module, "AHEAD_TIMEOUT", 0.05)
    monkeypatch.setattr(HeldLog, "up", False)
    monkeypatch.setattr(HeldLog, "is_shared", is_shared)
    world = World(tmp_path, memory=400)
    await world.submit("j")
    reasons = [await refusal(world, "j", after_sequence=9), await refusal(world, "", after_position=9)]
    await world.log.close()

    assert reasons == ["STORE_UNAVAILABLE" if is_shared else "SEQUENCE_AHEAD"] * 2
