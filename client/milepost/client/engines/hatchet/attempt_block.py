"""The block of one attempt: claims its job, follows cancellations both ways, and reports the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from hatchet_sdk import Context, DurableContext

from milepost.client._attach import AttachedJob
from milepost.client._attach.attachment import Attachment
from milepost.client._attach.offline_block import OfflineBlock
from milepost.client._transport.backoff import Backoff, is_transient
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client.engines.hatchet.job_calls import CANCELLED_IN_HATCHET, JobsOfRuns
from milepost.client.engines.hatchet.job_choice import AttemptNotReported, CancelledBefore
from milepost.client.engines.hatchet.task_end import failure_for_job
from milepost.client.engines.hatchet.task_run import TaskRun
from milepost.client.errors import JobEndedError, LeaseLost, MilepostError
from milepost.v1 import Job, SubmitJobRequest

__all__ = ["AttemptBlock", "unreported_job"]

_log = logging.getLogger("milepost.client")

# Seconds between two looks at whether Hatchet has cancelled the run, which the SDK has no callback for. It interrupts a
# coroutine one second after that.
_POLL_INTERVAL: Final = 0.1
# Seconds for a cancellation that Hatchet has asked for to come back from the server, before the end is reported.
_CANCEL_TIMEOUT: Final = 5.0


class AttemptBlock:
    """What Milepost does around one attempt. Its methods run in the client's thread, and raise nothing of Milepost's.

    Attributes:
        cancelled: Whether the job was cancelled, before the attempt or during it.
        is_elsewhere: Whether another attempt, or another run, has the job or has ended it.
    """

    def __init__(
        self,
        jobs: JobsOfRuns,
        run: TaskRun,
        context: Context,
        request: SubmitJobRequest,
        interrupt: Callable[[], None],
    ) -> None:
        """`interrupt` is called when the job is cancelled while the attempt runs."""
        self._jobs = jobs
        self._run = run
        self._context = context
        self._request = request
        self._interrupt = interrupt
        self._attachment: Attachment | None = None
        self._job_id = ""
        self._stopped = asyncio.Event()
        self._cancelling: asyncio.Task[None] | None = None
        self._cancelled_in_hatchet = False
        self.cancelled = self.is_elsewhere = False

    async def enter(self) -> AttachedJob:
        """Claim the job; if that is not possible, a job that reports to nobody."""
        attachment = self._jobs.attachment(self._run, self._request)
        try:
            job = await attachment.claim(self._stop)
        except (CancelledBefore, Cancelled):
            self.cancelled = True
        except (MilepostError, OSError, RuntimeError) as error:
            self.is_elsewhere = isinstance(error, AttemptNotReported | LeaseLost | JobEndedError)
            _log.warning("task run %s is not reported: %s", self._run.id, error)
        else:
            self._attachment, self._job_id = attachment, job.id
            self._cancelling = asyncio.create_task(self._follow_hatchet())
            return job
        return await unreported_job(self._request.kind, self._request.job_id)

    async def leave(self, error: BaseException | None) -> None:
        """Report the end, and wait until it is durable, at most for the flush timeout."""
        if self._attachment is None or self._cancelling is None:
            return
        if isinstance(error, asyncio.CancelledError) and self._is_evicted:
            self._cancelling.cancel()
            await self._attachment.give_back()
            return
        is_final = self._context.is_cancelled
        if is_final and error is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _CANCEL_TIMEOUT)
        self._cancelling.cancel()
        if error is not None and not (self.cancelled and isinstance(error, asyncio.CancelledError)):
            error = failure_for_job(error, self._run, is_final=is_final)
        try:
            await self._attachment.end(error)
        except (MilepostError, OSError, RuntimeError) as failed:
            _log.warning("task run %s: its end was not reported: %s", self._run.id, failed)

    @property
    def _is_evicted(self) -> bool:
        """Whether Hatchet has taken a durable task from this worker, to go on with it later.

        The SDK interrupts it as for a cancellation, but at the same moment at which it says so, and not a second later.
        """
        durable = isinstance(self._context, DurableContext)
        return (
            durable and self._context.is_cancelled and not self.cancelled and not self._cancelled_in_hatchet
        )

    def _stop(self) -> None:
        self.cancelled = True
        self._stopped.set()
        self._interrupt()

    async def _follow_hatchet(self) -> None:
        """Cancel the job once Hatchet has cancelled the run."""
        await self._hatchet_cancels()
        self._cancelled_in_hatchet = True
        backoff = Backoff()
        while not self._stopped.is_set():
            try:
                await self._jobs.cancel(self._job_id, CANCELLED_IN_HATCHET)
            except MilepostError as error:
                if not is_transient(error, connected_before=True):
                    _log.warning("job %s: cancelling it failed: %s", self._job_id, error)
                    self._stopped.set()
                    return
                await asyncio.sleep(backoff.next_delay())
            else:
                return

    async def _hatchet_cancels(self) -> None:
        while True:
            if self._context.is_cancelled:
                return
            await asyncio.sleep(_POLL_INTERVAL)


async def unreported_job(kind: str, job_id: str = "") -> AttachedJob:
    """A job that reports to nobody."""
    return OfflineBlock(Job(job_id=job_id, kind=kind)).job
