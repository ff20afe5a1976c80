"""A claimed job: from the claim until its end is reported."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from pathlib import Path
from typing import Any, Final

from milepost.client._attach import block_end
from milepost.client._attach.attached_job import AttachedJob
from milepost.client._attach.block_session import OpenSession
from milepost.client._attach.claimed_job_table import BlockClaim
from milepost.client._attach.offline_block import OfflineBlock
from milepost.client._attach.uninterrupted import uninterrupted
from milepost.client._attach.withdrawal import find_or_withdraw, withdraw_job
from milepost.client._transport.backoff import Backoff
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.unexplained_errors import UnexplainedErrors
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.handlers import StoppableHandler
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.client._worker.timed_wait import completes
from milepost.client.errors import (
    JobEndedError,
    JobNotFound,
    LeaseLost,
    MilepostError,
    PermissionDenied,
    Unauthenticated,
    Unreachable,
)
from milepost.v1 import Job

__all__ = ["Attachment"]

_logger = logging.getLogger("milepost.client")

# Seconds to give back a job that was assigned after the claim was abandoned.
_RELEASE_TIMEOUT: Final = 2.0
# Errors of a job that another worker has, or has had.
_OWNED_BY_ANOTHER: Final = (LeaseLost, JobEndedError, JobNotFound)
# Errors that a later session would meet again.
_NOT_ACCEPTED: Final = (Unauthenticated, PermissionDenied)
# Maximum backoff once the block was left: half a second, or this part of the flush timeout, if that is more.
_FINAL_BACKOFF_LIMIT: Final = 0.5
_FINAL_BACKOFF_PART: Final = 0.05
# Seconds between two checks whether the reports of a detached job were acknowledged.
_DETACH_POLL: Final = 0.02
# As the flush timeout once the code that waits is cancelled.
_CANCELLED_FLUSH: Final = 0.5
# Seconds for the server to end the session once everything is sent.
_CLOSE_TIMEOUT: Final = 1.0


class Attachment:
    """A claimed job.

    To its session, the block looks like a handler, `_run_as_handler`: from the assignment to the end of the block.

    Attributes:
        spool: See the argument.
    """

    def __init__(
        self,
        channel: LazyChannel,
        find: Callable[[], Awaitable[str]],
        withdraw: Callable[[str], Awaitable[object]] | None,
        *,
        session: OpenSession,
        timeout: float,
        flush_timeout: float,
        spool: str | os.PathLike[str] | None,
        wait: float,
        offline_job: Job | None,
        goes_on: bool = False,
        kill: Callable[[], object] | None = None,
    ) -> None:
        """Connect nothing yet.

        Args:
            channel: The connection to the server.
            find: Returns the job_id.
            withdraw: Cancels a job, by its id, that could not be claimed; None to leave it.
            session: Makes the session.
            timeout: Seconds for the server to answer the claim.
            flush_timeout: Seconds for the server to acknowledge the last reports.
            spool: Directory for reports that it did not acknowledge; default MILEPOST_SPOOL.
            wait: Seconds to wait for a job that another worker has, or whose concurrency key is at its limit.
            offline_job: The known fields of the job, to run the block if the server is unreachable; None to fail.
            kill: Called in the loop to end a block that was told to stop and has not in time; None if nothing can.
            goes_on: Whether the block goes on, without being reported, when its job is taken from it.
        """
        self._on_stop: Callable[[], None] | None = None
        self._channel = channel
        self._find = find
        self._withdraw = withdraw
        self._session = session
        self._timeout = timeout
        self._flush_timeout = flush_timeout
        self.spool: str | os.PathLike[str] | None = spool or os.environ.get("MILEPOST_SPOOL")
        self._wait = wait
        self._offline_job = offline_job
        self._goes_on = goes_on
        self._kill_block = kill
        self._offline_block: OfflineBlock | None = None
        self._entered = self._is_abandoned = False
        self._connection_error: MilepostError | None = None
        self._unexplained = UnexplainedErrors()
        self._stop_reason: MilepostError | Cancelled | None = None

    @property
    def stop(self) -> MilepostError | Cancelled | None:
        """Why the block is to stop: `Cancelled`, or the error that ended the lease; None while it may go on."""
        return self._stop_reason

    async def claim(self, on_stop: Callable[[], None] | None = None) -> AttachedJob:
        """Claim the job.

        Args:
            on_stop: Called in the loop when the block is to stop.

        Raises:
            MilepostError: The server refused the claim, or was not reached in time.
            Cancelled: The job was cancelled as soon as it was assigned.
            OSError: The spool cannot be used.
            RuntimeError: `claim` was called before.
        """
        if self._entered:
            raise RuntimeError("This block was entered before: attach to the job again.")
        self._entered = True
        self._on_stop = on_stop
        # Resolves when the block was left, to the error that a handler would have raised.
        self._left: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        unreachable: MilepostError | None = None
        try:
            self._job_id = await find_or_withdraw(self._find, self._withdraw)
        except MilepostError as error:
            if self._offline_job is None or not self._unexplained.may_repeat(error, connected_before=False):
                raise
            self._job_id, unreachable = self._offline_job.job_id, copy(error)
        spool: SpoolDirectory | None = None
        try:
            spool = SpoolDirectory(Path(self.spool)) if self.spool else None
            handler = StoppableHandler(self._run_as_handler, self._kill)
            claim = BlockClaim(self._job_id, handler, spool, self._flush_timeout, self._wait)
            self._jobs, self._sessions = await self._session.open(claim)
        except BaseException as error:
            if spool is not None:
                spool.close()  # its reports are for the next block
            if unreachable is None and not isinstance(error, _OWNED_BY_ANOTHER):
                await withdraw_job(self._withdraw, self._job_id)
            raise
        self._unreachable: asyncio.Future[MilepostError] = asyncio.get_running_loop().create_future()
        self._connection = asyncio.create_task(self._connect(unreachable))
        if unreachable is not None:
            return self._run_offline(unreachable)
        try:
            # Not asyncio.timeout: it would raise also where the job was assigned just as the time is over.
            awaited, limit = (self._jobs.claimed, self._unreachable), self._timeout + self._wait
            await asyncio.wait(awaited, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if self._jobs.claimed.done():
                if (refused := self._jobs.claimed.exception()) is not None:
                    raise copy(refused)  # this has the other one, and this frame has this
                return self._jobs.claimed.result()
            if self._offline_job is None:
                raise copy(self._no_answer)
            return self._run_offline(self._no_answer)
        except BaseException as error:
            await self._release()
            if not isinstance(error, _OWNED_BY_ANOTHER):
                await withdraw_job(self._withdraw, self._job_id)
            raise

    async def abandon(self) -> None:
        """Undo `claim`: the block is not entered."""
        await self._release()
        await withdraw_job(self._withdraw, self._job_id)

    async def end(self, error: BaseException | None) -> None:
        """Report the end of the job, once, and wait until it is durable, at most for the flush timeout.

        Args:
            error: The exception that left the block, if any.
        """
        if self._left.done():
            return
        self._left.set_result(block_end.error_of_job(error, is_stopped=self._stop_reason is not None))
        await self._finish()

    async def record_end(self) -> None:
        """Wait, once `end` was called, until the end is in the spool, or the server has it."""
        await self._jobs.record_ends()

    async def give_back(self) -> None:
        """Leave the job for its next claim, as one that did not fail; a cancelled one ends. Then as `end`."""
        self._left.set_result(asyncio.CancelledError())
        for attempt in self._jobs:
            attempt.give_back()
        await self._finish()

    async def _finish(self) -> None:
        flush, ended = asyncio.create_task(self._flush()), asyncio.FIRST_COMPLETED
        try:
            try:
                await asyncio.wait((flush, self._connection), return_when=ended)
            except asyncio.CancelledError:
                # Let the end reach the server: without it the lease has to expire.
                if self._jobs.is_connected:
                    await asyncio.wait((flush, self._connection), timeout=_CANCELLED_FLUSH, return_when=ended)
                raise
            if not len(self._jobs):
                await self._sessions.finish(_CLOSE_TIMEOUT)
        finally:
            flush.cancel()
            if not self._jobs.claimed.done():
                text = "job %s: the server did not come back in time; nothing was reported"
                _logger.warning(text, self._job_id)
            await self._disconnect()

    async def detach(self, timeout: float) -> None:
        """Leave the claimed job as it is: a block of the same instance takes it over, or its lease expires.

        Waits before, at most `timeout` seconds, until the server has acknowledged what was reported.
        """
        reporter = self._jobs.claimed.result()._control.reporter
        for _ in range(round(timeout / _DETACH_POLL)):
            if reporter.is_empty:
                break
            await asyncio.sleep(_DETACH_POLL)
        await self._disconnect()
        for attempt in self._jobs:
            attempt.leave()

    def exception_to_raise(self, error: BaseException | None) -> BaseException | None:
        """The exception to raise from the block in place of `error`, after `end`; None for `error` itself."""
        return block_end.error_to_raise(
            error, stop_reason=self._stop_reason, refusal=self._jobs.refusal, goes_on=self._goes_on
        )

    @property
    def _no_answer(self) -> MilepostError:
        reason = f"no answer to the claim within {self._timeout:g} s"
        return self._connection_error or Unreachable(self._channel.target.address, reason)

    def _run_offline(self, error: MilepostError) -> AttachedJob:
        """Run the block without its server. Once that is back, claim the job and send the buffered reports."""
        assert self._offline_job is not None
        _logger.warning(
            "job %s goes on without its server, and is reported once that is back: %s", self._job_id, error
        )
        self._offline_block = OfflineBlock(self._offline_job)
        self._jobs.claimed.add_done_callback(self._log_answer)
        return self._offline_block.job

    def _log_answer(self, claimed: asyncio.Future[AttachedJob]) -> None:
        """Log that the server is back, with the job or with a refusal, which does not affect the block."""
        if claimed.cancelled():
            return
        if (error := claimed.exception()) is None:
            _logger.info("job %s: its server is back", self._job_id)
        else:
            _logger.warning("job %s goes on without being reported: %s", self._job_id, error)

    async def _flush(self) -> None:
        if self._offline_block is not None:
            await asyncio.wait((self._jobs.claimed,), timeout=self._flush_timeout)
        await self._jobs.idle()
        await completes(self._jobs.empty(), self._flush_timeout)

    async def _run_as_handler(self, context: JobContext) -> Mapping[str, Any] | None:
        if self._offline_block is None:
            job = AttachedJob(context)
        else:
            job = self._offline_block.job
            self._offline_block.connect(context)
        if not self._jobs.claimed.done():
            self._jobs.claimed.set_result(job)
        while not self._left.done():
            try:
                await asyncio.wait((self._left,))
            except asyncio.CancelledError:
                if self._connection.done() or self._connection.cancelling():
                    raise  # the loop or the client is being closed around the block
                self._request_stop(job)
                if self._is_abandoned:
                    raise
        if self._offline_block is not None:
            self._offline_block.finish()
        if (error := self._left.result()) is not None:
            raise copy(error)  # as in `claim`
        return job.result

    def _kill(self) -> bool:
        if self._kill_block is None or self._stop_reason is None:
            return False
        self._kill_block()
        return True

    def _request_stop(self, job: AttachedJob) -> None:
        lost = LeaseLost(f"Job {self._job_id!r} was taken from this process: {self._jobs.lost_because}.")
        self._stop(job, Cancelled() if self._jobs.has_job else self._jobs.refusal or lost)

    def _stop_unaccepted(self, refused: MilepostError) -> None:
        """Stop the block: the server accepts no session of this process any more."""
        self._jobs.refusal = refused
        self._stop(self._jobs.claimed.result(), refused)

    def _stop(self, job: AttachedJob, reason: MilepostError | Cancelled) -> None:
        """Interrupt the block, unless it goes on without its job. A job that had no grace period was cancelled, too."""
        was_cancelled = isinstance(reason, JobEndedError) and reason.metadata.get("state") == "CANCELLED"
        if self._goes_on and isinstance(reason, MilepostError) and not was_cancelled:
            _logger.warning("job %s goes on without being reported: %s", self._job_id, reason)
            self._is_abandoned = self._connection.cancel()  # opened again, it would take the job back
            return
        job._control.cancel_signal.set()
        if self._stop_reason is None and not self._left.done():
            self._stop_reason = reason
            if self._on_stop is not None:
                self._on_stop()

    async def _release(self) -> None:
        """Give back the job, if it was assigned or is about to be: nobody waits for it any more."""
        self._jobs.stop_accepting()
        try:
            if self._jobs.has_job:
                for attempt in self._jobs:
                    attempt.give_back()
                self._left.set_result(asyncio.CancelledError())
                await completes(self._jobs.empty(), _RELEASE_TIMEOUT)
            await self._sessions.finish(_RELEASE_TIMEOUT)
        finally:
            await self._disconnect()

    async def _disconnect(self) -> None:
        self._connection.cancel()
        # Once the block was left its handler ends within a few passes of the loop; only then the spool gets its end.
        ending = [asyncio.create_task(self._jobs.idle())] if self._left.done() else []
        try:
            await uninterrupted(asyncio.wait((self._connection, *ending)))
        finally:
            self._sessions.close()
            self._jobs.close()
            self._on_stop = None
            if self._offline_block is not None:
                self._offline_block.finish()

    async def _connect(self, unreachable: MilepostError | None) -> None:
        """Keep a session open until the end of the block, once the job is claimed (rule 15)."""
        # Keep no exception: its traceback keeps a call alive, and a fork can close only a channel without calls.
        try:
            if unreachable is not None:
                await self._submit(unreachable)
            await self._sessions.run(self._wait_to_retry)
        except asyncio.CancelledError:
            pass
        except Exception as error:  # a block that was entered goes on
            if not self._jobs.claimed.done():
                self._jobs.claimed.set_exception(copy(error))  # its frames have the table
            elif isinstance(error, MilepostError) and self._jobs.was_assigned:
                self._stop_unaccepted(error)
            else:
                # Known: the client is closed, or a block that goes on without its job is not accepted any more.
                is_known = isinstance(error, (MilepostError, RuntimeError))
                text = "job %s: the connection ended: %s"
                _logger.warning(text, self._job_id, error, exc_info=not is_known)

    async def _submit(self, unreachable: MilepostError) -> None:
        """Submit the job, for which the server was `unreachable`, as soon as it is back."""
        backoff = Backoff()
        while True:
            await self._wait_to_retry(unreachable, backoff.next_delay())
            try:
                await self._find()
            except MilepostError as error:
                unreachable = copy(error)
            else:
                return

    async def _wait_to_retry(self, error: MilepostError, wait: float) -> None:
        """Log that a session was lost, and wait for the backoff, a shorter one once the block was left."""
        claimed = self._jobs.claimed.done()
        may_pass = self._unexplained.may_repeat(error, connected_before=False)
        if isinstance(error, _NOT_ACCEPTED) if claimed else not may_pass:
            raise error
        self._connection_error = error = copy(error)  # its frames have this
        if self._offline_job is not None and not self._unreachable.done():
            self._unreachable.set_result(error)
        self._sessions.outage.disconnected(error, level=logging.WARNING if claimed else logging.INFO)
        if self._left.done():
            limit = max(_FINAL_BACKOFF_LIMIT, _FINAL_BACKOFF_PART * self._flush_timeout)
            await asyncio.sleep(min(wait, limit))
        else:
            await asyncio.wait((self._left,), timeout=wait)
