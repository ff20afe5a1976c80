"""Shares of jobs: which are in force."""

from __future__ import annotations

import pytest

from milepost.server.access.credentials.shares import SharedJob, Shares
from milepost.server.access.principal import ANONYMOUS
from milepost.server.base.refusal import Refusal
from tests.support.clock import FakeClock


class _OneJob:
    """A store with a job, whose shares may be revoked."""

    def __init__(self) -> None:
        self.generation = 0

    def secret(self) -> bytes:
        """See ``SharedJobs``."""
        return b"s" * 32

    async def find(self, job_id: str, caller: str) -> SharedJob | None:
        """See ``SharedJobs``."""
        return SharedJob("ann", 1, self.generation)


async def test_a_share_that_is_made_after_others_were_revoked_is_in_force_at_once() -> None:
    """Also before the next look at the jobs of open calls, of which one has a revoked share."""
    jobs = _OneJob()
    shares = Shares(FakeClock(), jobs)

    async def share() -> str:
        return (await shares.issue(ANONYMOUS, "j", 60.0, can_cancel=False))[0]

    revoked = await shares.principal(await share())
    await shares.refresh([revoked])
    jobs.generation += 1
    made_later = await shares.principal(await share())

    shares.check(made_later)
    with pytest.raises(Refusal, match="revoked"):
        shares.check(revoked)
