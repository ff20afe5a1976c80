"""Jobs whose parents have parents: what a submission costs, and what a cancellation reaches."""

from __future__ import annotations

from milepost.v1 import JobState
from tests.support.rpc import eventually
from tests.unit.server.core import Core

DEPTH = 30


async def settled(core: Core) -> None:
    """Return when no background task is left."""

    async def idle() -> bool:
        return len(core.tasks) == 0

    await eventually(idle)


async def submit_chain(core: Core, depth: int) -> None:
    """Submit jobs, each the parent of the next."""
    for number in range(depth):
        await core.submit(f"j{number}", parent_job_id=f"j{number - 1}" if number else "")


async def test_a_submission_looks_at_its_parent_alone(core: Core) -> None:
    """However many ancestors a job has, its submission loads as many jobs as one with a single parent."""
    await submit_chain(core, 2)
    await settled(core)
    before = core.log.loads
    await core.submit("one", parent_job_id="j1")
    await settled(core)
    with_two_ancestors = core.log.loads - before

    for number in range(2, DEPTH):
        await core.submit(f"j{number}", parent_job_id=f"j{number - 1}")
    await settled(core)
    before = core.log.loads
    await core.submit("last", parent_job_id=f"j{DEPTH - 1}")
    await settled(core)

    assert core.log.loads - before == with_two_ancestors


async def test_a_cancellation_reaches_all_descendants(core: Core) -> None:
    """Rule 18, through every level."""
    await submit_chain(core, DEPTH)
    await core.cancel(10, "j0")

    async def all_cancelled() -> bool:
        jobs = [await core.journal.find(f"j{number}") for number in range(DEPTH)]
        return {job.state for job in jobs} == {JobState.JOB_STATE_CANCELLED}

    await eventually(all_cancelled)
