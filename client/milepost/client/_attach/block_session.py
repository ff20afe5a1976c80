"""The session of a block: one of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from milepost.client._attach.claimed_job_table import BlockClaim, ClaimedJobTable
from milepost.client._transport.channel import LazyChannel
from milepost.client._worker.outage_log import OutageLog
from milepost.client._worker.session_loop import SessionLoop
from milepost.client.errors import MilepostError

__all__ = ["BlockSession", "OpenSession", "OwnSession"]


class BlockSession(Protocol):
    """The sessions of a block, one after another; see `SessionLoop`."""

    outage: OutageLog

    async def run(self, wait_to_retry: Callable[[MilepostError, float], Awaitable[None]]) -> None:
        """Run until `finish`."""

    async def finish(self, timeout: float) -> None:
        """Let what is queued go out, then end."""

    def close(self) -> None:
        """Take no further part, whether `run` was called or not."""


class OpenSession(Protocol):
    """Makes the session of a block."""

    async def open(self, claim: BlockClaim) -> tuple[ClaimedJobTable, BlockSession]:
        """The table of the block's job, and its session, which connects once it runs.

        Raises:
            LeaseLost: Another block of the session has the job.
        """


class OwnSession:
    """A session for one block alone, so that blocks cannot affect each other."""

    def __init__(
        self, channel: LazyChannel, worker_id: str | None, timeout: float, instance: str | None
    ) -> None:
        """See `SessionLoop`."""
        self._channel = channel
        self._worker_id = worker_id
        self._timeout = timeout
        self._instance = instance

    async def open(self, claim: BlockClaim) -> tuple[ClaimedJobTable, BlockSession]:
        """See `OpenSession`."""
        jobs = ClaimedJobTable(claim)
        return jobs, SessionLoop(self._channel, jobs, self._worker_id, self._timeout, instance=self._instance)
