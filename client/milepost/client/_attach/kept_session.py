"""One session for the blocks of a process, kept open between them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from copy import copy
from typing import TypeAlias

from milepost.client._attach.block_session import BlockSession
from milepost.client._attach.claimed_job_table import BlockClaim, ClaimedJobTable
from milepost.client._attach.joined_tables import JoinedTables
from milepost.client._transport.channel import LazyChannel
from milepost.client._worker.outage_log import OutageLog
from milepost.client._worker.session_loop import SessionLoop
from milepost.client.errors import LeaseLost, MilepostError

__all__ = ["KeptSession"]

_WaitToRetry: TypeAlias = Callable[[MilepostError, float], Awaitable[None]]


class KeptSession:
    """Serves one block after another, or several at once: a block then costs a claim and a report, and no stream.

    It connects for the first block. Lost while there is none, it connects again for the next one. Its heartbeats keep
    the leases of all of its jobs, so it reconnects without the job that a block has left unfinished: only then can the
    lease of that one expire.

    Belongs to the running loop, and to the process: a fork finds a call in progress.
    """

    def __init__(self, channel: LazyChannel, worker_id: str, timeout: float, capacity: int) -> None:
        """Connect nothing yet.

        Args:
            channel: The connection to the server.
            worker_id: Identifies this process.
            timeout: Seconds until the server must have sent its welcome.
            capacity: How many blocks to expect at once, as operators see it; no bound. It grows with more of them.
        """
        self._channel = channel
        self._worker_id = worker_id
        self._timeout = timeout
        self._tables = JoinedTables(capacity)
        # The block that has each job, from before its claim; and those that take part in the session.
        self._owners: dict[str, _Block] = {}
        self._blocks: dict[_Block, None] = {}
        self._sessions: SessionLoop | None = None
        self._running: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()

    def has(self, job_id: str) -> bool:
        """Whether a block of this process has the job, or is about to claim it."""
        return job_id in self._owners

    async def open(self, claim: BlockClaim, instance: str) -> tuple[ClaimedJobTable, BlockSession]:
        """The table of a block's job, and its part in this session; `instance` is sent with the claim.

        Waits until no other block of this process has the job: their claims have the same instance.

        Raises:
            LeaseLost: One still has it after the claim's `wait`.
        """
        job_id = claim.job_id
        try:
            async with asyncio.timeout(claim.wait):
                while (owner := self._owners.get(job_id)) is not None:
                    await owner.gone.wait()
        except TimeoutError:
            text = f"This process, {self._worker_id!r}, runs job {job_id!r} already."
            raise LeaseLost(text) from None
        jobs = ClaimedJobTable(claim, send_queue=self._tables.send_queue, instance=instance)
        block = _Block(self, jobs, OutageLog(self._channel.target.address))
        self._owners[job_id] = block
        return jobs, block

    async def close(self, timeout: float) -> None:
        """Close the session, gracefully if the server ends it within so many seconds; there are no blocks any more."""
        running = self._running
        if self._sessions is None or running is None:
            return
        await self._sessions.finish(timeout)
        running.cancel()
        await asyncio.wait((running,))

    # For its blocks.

    def join(self, block: _Block) -> None:
        """Claim the job of this block, and connect if need be."""
        self._blocks[block] = None
        self._tables.expect(len(self._blocks))
        self._tables.add(block.jobs)
        self._joined.set()
        if self._running is None:
            self._connect()

    def leave(self, block: _Block) -> None:
        """Claim and report nothing more for this block."""
        if block.gone.is_set():
            return
        block.gone.set()
        del self._owners[block.jobs.job_id]
        self._blocks.pop(block, None)
        self._tables.remove(block.jobs)
        if len(block.jobs) and self._running is not None:
            self._running.cancel()

    # Private.

    def _connect(self) -> None:
        self._tables.send_queue.reopen()
        self._sessions = SessionLoop(self._channel, self._tables, self._worker_id, self._timeout)
        self._running = asyncio.create_task(self._run(self._sessions))
        self._running.add_done_callback(self._ended)

    async def _run(self, sessions: SessionLoop) -> None:
        with contextlib.suppress(MilepostError):  # each block has reported it
            await sessions.run(self._wait_to_retry)

    def _ended(self, running: asyncio.Task[None]) -> None:
        self._running = self._sessions = None
        error = None if running.cancelled() else running.exception()
        if error is not None:
            for block in tuple(self._blocks):
                block.fail(error)
        elif self._blocks:
            self._connect()

    async def _wait_to_retry(self, error: MilepostError, wait: float) -> None:
        """Let each block see the loss, until one wants to connect again.

        Raises:
            MilepostError: None is left.
        """
        self._joined.clear()
        joined = asyncio.ensure_future(self._joined.wait())
        waits = {asyncio.ensure_future(block.lost(error, wait)) for block in self._blocks}
        try:
            while self._blocks:
                done, _ = await asyncio.wait({joined, *waits}, return_when=asyncio.FIRST_COMPLETED)
                waits -= done
                if joined in done or any(task.result() for task in done):
                    return
                await asyncio.sleep(0)  # those that have given up leave
        finally:
            for task in (joined, *waits):
                task.cancel()
        raise error


class _Block:
    """The part of one block in the session.

    Attributes:
        jobs: The table of its job.
        outage: Logs its outages.
        gone: Set once the block has left the session.
    """

    def __init__(self, session: KeptSession, jobs: ClaimedJobTable, outage: OutageLog) -> None:
        self.jobs = jobs
        self.outage = outage
        self.gone: asyncio.Event = asyncio.Event()
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._session = session
        self._wait_to_retry: _WaitToRetry | None = None

    async def run(self, wait_to_retry: _WaitToRetry) -> None:
        """Take part until `finish`.

        Raises:
            MilepostError: `wait_to_retry` gave up.
        """
        self._wait_to_retry = wait_to_retry
        self._session.join(self)
        try:
            await self._left
        finally:
            self._wait_to_retry = None  # whose object has this
            self._session.leave(self)

    async def finish(self, timeout: float) -> None:
        """End the part of the block: all of it is acknowledged."""
        if not self._left.done():
            self._left.set_result(None)

    def close(self) -> None:
        """Leave the session, joined or not."""
        self._session.leave(self)

    async def lost(self, error: MilepostError, wait: float) -> bool:
        """The session was lost; wait for the backoff. Whether to connect again for this block."""
        if self._wait_to_retry is None:  # the block has left since
            return False
        try:
            await self._wait_to_retry(copy(error), wait)
        except MilepostError as refused:
            self.fail(refused)
            return False
        return True

    def fail(self, error: BaseException) -> None:
        """Give up, with an error of its own: another thread may raise that of another block."""
        if not self._left.done():
            self._left.set_exception(copy(error))
