"""Statuses of watches of the same job or filter."""

from __future__ import annotations

from milepost.server.messages.timestamps import instant
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.shared_status import MOMENT, SharedStatus
from milepost.v1 import Status, WatchJobResponse

NOW = 1_764_217_000_000_000_000


def encoded(shared: SharedStatus, cursor: int, now: int) -> bytes:
    """A status with this cursor, at this time."""
    return shared.encode(WatchJobResponse(), Status(cursor=cursor), now)


def test_the_same_status_at_the_same_moment_is_the_same_response() -> None:
    """It is another one where it says something else, after a moment, and where the clock is set back."""
    shared = SharedStatus(MemoryBudget(1 << 20))
    first = encoded(shared, 1, NOW)

    assert encoded(shared, 1, NOW + MOMENT) is first
    for cursor, now in ((1, NOW + MOMENT + 1), (2, NOW + MOMENT + 1), (2, NOW)):
        status = WatchJobResponse.FromString(encoded(shared, cursor, now)).status
        assert (status.cursor, instant(status.server_time)) == (cursor, now)


def test_it_counts_as_memory_of_caches() -> None:
    """Until it is evicted; one that does not fit is sent, and not kept."""
    memory = MemoryBudget(200)
    shared = SharedStatus(memory)
    small = encoded(shared, 1, NOW)
    assert len(small) < memory.used < 200
    shared.free()
    assert memory.used == 0

    status = Status(cursor=1)
    status.waiting.nearest_kinds.append("x" * 300)
    large = shared.encode(WatchJobResponse(), status, NOW)
    assert WatchJobResponse.FromString(large).status.waiting.nearest_kinds == ["x" * 300]
    assert memory.used == 0
