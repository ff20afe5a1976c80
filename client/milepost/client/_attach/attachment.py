"""Holding a job that was claimed: from the claim until its end is told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from milepost.client._attach.attached_job import AttachedJob
from milepost.client._attach.claimed_job_table import ClaimedJobTable
from milepost.client._attach.offline_block import Alone
from milepost.client._transport.backoff import Backoff, is_passing
from milepost.client._transport.channel import LazyChannel
from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.job_context import Cancelled, JobContext
from milepost.client._worker.session_loop import Sessions
from milepost.client._worker.spool.spool_directory import Spool
from milepost.client.errors import (
    JobEndedError,
    JobFailure,
    JobNotFound,
    LeaseLost,
    MilepostError,
    Unreachable,
)
from milepost.v1 import Job

__all__ = ["Attachment"]

_log = logging.getLogger("milepost.client")

# Seconds to give back a job that was assigned when nobody waited for it any more.
_GIVING_BACK: Final = 2.0
# What says that somebody else has the job, or has had it.
_ANOTHERS: Final = (LeaseLost, JobEndedError, JobNotFound)
# Seconds for the server to end the session of the block that a job is taken over from.
_TAKING_OVER: Final = 5.0
# The most seconds between two tries to connect once the block is left: the flush timeout passes.
_HURRY: Final = 0.5
# Seconds for the server to end the session, once there is nothing left to say.
_GOODBYE: Final = 1.0


class Attachment:
    """One claimed job, with a session of its own, so that what happens to one job touches no other.

    To the session, the block looks like a handler: `_stand_in` begins with the assignment, and ends as the block does.

    Attributes:
        on_stop: Called in the loop when the block is to stop.
    """

    def __init__(
        self,
        channel: LazyChannel,
        find: Callable[[], Awaitable[str]],
        withdraw: Callable[[str], Awaitable[object]] | None,
        *,
        worker_id: str | None,
        timeout: float,
        flush_timeout: float,
        spool: str | os.PathLike[str] | None,
        wait: float,
        instance: str | None,
        alone: Job | None,
    ) -> None:
        """Nothing is connected yet.

        Args:
            channel: To the server.
            find: Tells the job_id.
            withdraw: Called with it where the job was not claimed, so that it is not left behind; None to leave it.
            worker_id: Names this process; None for the host's name and the process id.
            timeout: How many seconds the server has to answer the claim.
            flush_timeout: How many seconds it has to take what is left to say at the end.
            spool: Where that is kept otherwise; from MILEPOST_SPOOL where it is not given.
            wait: How many seconds to wait for a job that another has, or whose concurrency key is at its limit.
            instance: Proves that an earlier block was of the same work, so that its job is taken over.
            alone: What is known of the job where the block is to go on without its server; None where it is not to.
        """
        self.on_stop: Callable[[], None] = lambda: None
        self._channel = channel
        self._find = find
        self._withdraw = withdraw
        self._worker_id = worker_id
        self._timeout = timeout
        self._flush_timeout = flush_timeout
        self._spool = spool or os.environ.get("MILEPOST_SPOOL")
        self._wait = max(wait, _TAKING_OVER) if instance else wait
        self._instance = instance
        self._known = alone
        self._alone: Alone | None = None
        self._entered = False
        self._trouble: MilepostError | None = None
        self._stop: MilepostError | Cancelled | None = None

    @property
    def stop(self) -> MilepostError | Cancelled | None:
        """Why the block is to stop: `Cancelled`, or what took the job away; None while it is not."""
        return self._stop

    async def claim(self) -> AttachedJob:
        """Gets the job.

        Raises:
            MilepostError: It was refused, or the server was not reached in time.
            Cancelled: It was cancelled as soon as it was assigned.
            OSError: The spool cannot be used.
            RuntimeError: It was claimed before.
        """
        if self._entered:
            raise RuntimeError("This block was entered before: attach to the job again.")
        self._entered = True
        # What the block raised, as the job is to be told of it, once it has been left.
        self._left: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        absent: MilepostError | None = None
        try:
            self._job_id = await self._find()
        except MilepostError as error:
            if self._known is None or not is_passing(error, connected_before=False):
                raise
            self._job_id, absent = self._known.job_id, error
        spool = Spool(Path(self._spool)) if self._spool else None
        self._desk = ClaimedJobTable(self._job_id, self._stand_in, spool, self._flush_timeout, self._wait)
        self._sessions = Sessions(
            self._channel, self._desk, self._worker_id, self._timeout, instance=self._instance
        )
        self._unreachable: asyncio.Future[MilepostError] = asyncio.get_running_loop().create_future()
        self._connection = asyncio.create_task(self._connect(absent))
        if absent is not None:
            return self._go_on(absent)
        try:
            async with asyncio.timeout(self._timeout + self._wait):
                await asyncio.wait(
                    (self._desk.claimed, self._unreachable), return_when=asyncio.FIRST_COMPLETED
                )
            return self._desk.claimed.result() if self._desk.claimed.done() else self._go_on(self._no_answer)
        except BaseException as error:
            if isinstance(error, TimeoutError) and self._known is not None:
                return self._go_on(self._no_answer)
            await self._give_back()
            if not isinstance(error, _ANOTHERS):
                await self._leave_nothing()
            if isinstance(error, TimeoutError):
                raise self._no_answer from None
            raise

    async def end(self, error: BaseException | None) -> None:
        """Tells how the job ended, and waits until that is durable, but not longer than the flush timeout.

        Args:
            error: What left the block.
        """
        self._left.set_result(self._told(error))
        telling = asyncio.create_task(self._tell())
        try:
            await asyncio.wait((telling, self._connection), return_when=asyncio.FIRST_COMPLETED)
            if not len(self._desk):
                await self._sessions.finish(_GOODBYE)
            if not self._desk.claimed.done():
                _log.warning(
                    "job %s: its server is not back in time, so that nothing is reported of it", self._job_id
                )
        finally:
            telling.cancel()
            await self._disconnect()

    def leaves(self, error: BaseException | None) -> BaseException | None:
        """What leaves the block in place of `error`, now that the end is told; None for `error` itself.

        An exception of the block's own comes first. A block that was done although it was to stop has won (rule 17),
        unless the server did not take its end.
        """
        if error is None:
            return (self._stop or self._desk.refusal) if self._desk.refusal is not None else None
        return self._stop if isinstance(error, asyncio.CancelledError) else None

    # Within.

    @property
    def _no_answer(self) -> MilepostError:
        said = f"no answer to the claim within {self._timeout:g} s"
        return self._trouble or Unreachable(self._channel.target.address, said)

    def _go_on(self, error: MilepostError) -> AttachedJob:
        """The block runs without its server. Once that is back the job is claimed, and what was reported is sent."""
        assert self._known is not None
        _log.warning(
            "job %s goes on without its server, and is reported once that is back: %s", self._job_id, error
        )
        self._alone = Alone(self._known)
        self._desk.claimed.add_done_callback(self._answered)
        return self._alone.job

    def _answered(self, claimed: asyncio.Future[AttachedJob]) -> None:
        """The server is back, with the job or with a reason why it cannot be had, which concerns nobody but the log."""
        if claimed.cancelled():
            return
        if (error := claimed.exception()) is None:
            _log.info("job %s: its server is back", self._job_id)
        else:
            _log.warning("job %s goes on without being reported: %s", self._job_id, error)

    async def _tell(self) -> None:
        if self._alone is not None:
            await asyncio.wait((self._desk.claimed,), timeout=self._flush_timeout)
        await self._desk.idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._flush_timeout):
                await self._desk.empty()

    async def _stand_in(self, context: JobContext) -> Mapping[str, Any] | None:
        if self._alone is None:
            job = AttachedJob(context)
        else:
            job = self._alone.job
            self._alone.connect(context)
        if not self._desk.claimed.done():
            self._desk.claimed.set_result(job)
        while not self._left.done():
            try:
                await asyncio.wait((self._left,))
            except asyncio.CancelledError:
                if self._connection.done() or self._connection.cancelling():
                    raise  # the loop or the client is being closed around the block
                job.interrupt()
                self._stops()
        if self._alone is not None:
            self._alone.finish()
        if (error := self._left.result()) is not None:
            raise error
        return job.result

    def _stops(self) -> None:
        if self._stop is None and not self._left.done():
            lost = LeaseLost(f"Job {self._job_id!r} was taken from this process: {self._desk.taken_because}.")
            self._stop = Cancelled() if self._desk.has_job else self._desk.refusal or lost
            self.on_stop()

    def _told(self, error: BaseException | None) -> BaseException | None:
        """The error as a handler would raise it. The block's own goes its way, and is not to be raised twice."""
        if error is None or (self._stop is not None and isinstance(error, asyncio.CancelledError)):
            return error if error is None else asyncio.CancelledError()
        if isinstance(error, asyncio.CancelledError):
            text = "The code that was at work on the job was cancelled."
            return JobFailure("INTERRUPTED", text, retryable=True)
        failure = failure_of(error)
        return JobFailure(failure.code, failure.message, failure.detail, failure.retryable)

    async def _give_back(self) -> None:
        """Nobody waits for the job any more. Should it be here, or on its way, another may have it."""
        self._desk.stop_taking()
        try:
            if self._desk.has_job:
                for attempt in self._desk:
                    attempt.give_back()
                self._left.set_result(asyncio.CancelledError())
                await asyncio.wait((asyncio.ensure_future(self._desk.empty()),), timeout=_GIVING_BACK)
            await self._sessions.finish(_GIVING_BACK)
        finally:
            await self._disconnect()

    async def _leave_nothing(self) -> None:
        if self._withdraw is None:
            return
        try:
            async with asyncio.timeout(_GIVING_BACK):
                await self._withdraw(self._job_id)
        except (MilepostError, TimeoutError, RuntimeError) as error:
            _log.warning("job %s: it was not claimed, and cannot be cancelled: %s", self._job_id, error)

    async def _disconnect(self) -> None:
        self._connection.cancel()
        await asyncio.wait((self._connection,))
        self._desk.close()

    async def _connect(self, absent: MilepostError | None) -> None:
        """Once the job is claimed nothing but the end of its block ends that (rule 15).

        Where the server was `absent` when it was to be made, it is made as soon as that is back.
        """
        # It keeps no exception, and thereby no call: where nothing is under way a fork has the connection rest.
        try:
            if absent is not None:
                await self._make(absent)
            await self._sessions.run(self._lost)
        except asyncio.CancelledError:
            pass
        except MilepostError as refused:
            if not self._desk.claimed.done():
                self._desk.claimed.set_exception(refused)
        except RuntimeError as closed:
            _log.warning("job %s: the connection ended: %s", self._job_id, closed)

    async def _make(self, absent: MilepostError) -> None:
        backoff = Backoff()
        while True:
            await self._lost(absent, backoff.next())
            try:
                await self._find()
            except MilepostError as error:
                absent = error
            else:
                return

    async def _lost(self, error: MilepostError, wait: float) -> None:
        """A session was lost; the next one is to be tried after so many seconds."""
        claimed = self._desk.claimed.done()
        if not claimed and not is_passing(error, connected_before=False):
            raise error
        self._trouble = error
        if self._known is not None and not self._unreachable.done():
            self._unreachable.set_result(error)
        self._sessions.outage.lost(error, level=logging.WARNING if claimed else logging.INFO)
        if self._left.done():
            await asyncio.sleep(min(wait, _HURRY))
        else:
            await asyncio.wait((self._left,), timeout=wait)
