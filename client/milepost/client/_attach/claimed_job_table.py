"""The job table of a block: the one job that it claims."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from milepost.client._attach.attached_job import AttachedJob
from milepost.client._transport.error_mapping import error_from_rejection
from milepost.client._worker.attempt import Attempt
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.handlers import Handler
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.send_queue import SendQueue
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.client.errors import MilepostError
from milepost.contract.reasons import ATTEMPT_OVER
from milepost.v1 import Claim, ErrorReason, Rejected, WorkRequest

__all__ = ["BlockClaim", "ClaimedJobTable"]

_logger = logging.getLogger("milepost.client")

# Seconds between two claims of a job that another worker has.
_RETRY_INTERVAL: Final = 0.5
# Seconds to repeat a claim that may be refused because of the one before it, whose session ended without an answer: the
# server has yet to undo what it granted.
_OWN_CLAIM_WAIT: Final = 5.0
_RETRYABLE_REASONS: Final = frozenset(
    {ErrorReason.ERROR_REASON_LEASE_LOST, ErrorReason.ERROR_REASON_LIMIT_REACHED}
)


class BlockClaim(NamedTuple):
    """The job that a block claims, and how it is run.

    Attributes:
        job_id: The id of the job.
        handler: Resolves `ClaimedJobTable.claimed`.
        spool: Where reports go that the server has not acknowledged when the block ends; None to drop them.
        flush_timeout: Seconds to wait for these acknowledgements.
        wait: Seconds for which the claim is repeated while the job is not free.
    """

    job_id: str
    handler: Handler
    spool: SpoolDirectory | None
    flush_timeout: float
    wait: float


class ClaimedJobTable(JobTable):
    """Claims a job by its id, on each session until the server answers, and runs no other.

    While another worker has the job, or its concurrency key is at its limit, it repeats the claim until `wait` is over,
    and for a moment where that may be this block: an earlier session ended before it had the answer.

    Attributes:
        job_id: The id of the job.
        claimed: Resolves to the job once it is assigned, or to the error that refused it.
        refusal: The error of the server that ended the lease; None while it holds.
        lost_because: The reason why the lease was lost, for people; empty while it holds.
    """

    # The block learns of the loss by an exception, so the log line need not warn.
    _loss_level = logging.INFO

    def __init__(self, claim: BlockClaim, *, send_queue: SendQueue | None = None, instance: str = "") -> None:
        """Claim nothing yet.

        Args:
            claim: The job.
            send_queue: That of a session which several blocks share; None for a queue of its own.
            instance: Sent with the claim; see `Claim.instance`.
        """
        super().__init__(
            _ForAnyKind(claim.handler),
            1,
            spool=claim.spool,
            flush_timeout=claim.flush_timeout,
            send_queue=send_queue,
        )
        self._shares_session = send_queue is not None
        self._instance = instance
        self._loop = asyncio.get_running_loop()
        self._wait_until = self._loop.time() + claim.wait
        self._retry_timer: asyncio.TimerHandle | None = None
        self._awaits_answer = False
        self._wait_logged = False
        self.claimed: asyncio.Future[AttachedJob] = self._loop.create_future()
        self.refusal: MilepostError | None = None
        self.lost_because: str = ""
        self.job_id = claim.job_id

    @property
    def has_job(self) -> bool:
        """Whether the lease holds, as far as this process knows."""
        return self.find(self.job_id) is not None

    @property
    def was_assigned(self) -> bool:
        """Whether the claim is answered with the job, and not with a refusal."""
        return self.claimed.done() and not self.claimed.cancelled() and self.claimed.exception() is None

    def opening_requests(self) -> list[WorkRequest]:
        """Resume the job, or claim it."""
        resumes = super().opening_requests()
        if self.claimed.done() or resumes:
            return resumes
        if self._awaits_answer:
            self._wait_until = max(self._wait_until, self._loop.time() + _OWN_CLAIM_WAIT)
        return [self._claim()]

    def session_closed(self) -> None:
        """Send nothing until the next session is open, which begins with a claim of its own."""
        super().session_closed()
        self._cancel_retry()

    def stop_accepting(self) -> None:
        """Stop claiming: a session that only gives the job back must not claim it again."""
        super().stop_accepting()
        self._cancel_retry()
        self.claimed.cancel()

    def close(self) -> None:
        """See `JobTable.close`; nobody waits for the claim any more."""
        super().close()
        self.claimed.cancel()

    def rejected(self, message: Rejected) -> None:
        """Handle a refusal of the claim, or of a report."""
        if not message.lease_token:  # of a claim; once the job is assigned, one that came too late
            if message.job_id == self.job_id and not self.claimed.done() and not self.has_job:
                self._awaits_answer = False
                if not self._retry(message):
                    self.claimed.set_exception(error_from_rejection(message))
            return
        attempt = self.find(message.job_id, message.lease_token)
        if message.reason in ATTEMPT_OVER and attempt is not None and not attempt.is_own_end(message):
            self.refusal = error_from_rejection(message)
        super().rejected(message)

    def _claim(self) -> WorkRequest:
        self._awaits_answer = True
        return WorkRequest(claim=Claim(job_id=self.job_id, instance=self._instance))

    def _retry(self, message: Rejected) -> bool:
        """Schedule another claim, if the reason of the refusal may pass in time; whether it did."""
        left = self._wait_until - self._loop.time()
        if message.reason not in _RETRYABLE_REASONS or left <= 0:
            return False
        if not self._wait_logged:
            self._wait_logged = True
            _logger.info("job %s: waiting up to %.1f s to claim it: %s", self.job_id, left, message.message)
        self._retry_timer = self._loop.call_later(
            min(_RETRY_INTERVAL, left), lambda: self.send_queue.enqueue(self._claim())
        )
        return True

    def _cancel_retry(self) -> None:
        if self._retry_timer is not None:
            self._retry_timer.cancel()

    def _announce_capacity(self) -> None:
        if not self._shares_session:  # a shared session has the capacity of all of its blocks
            super()._announce_capacity()

    def _attempt_changed(self, attempt: Attempt) -> None:
        super()._attempt_changed(attempt)
        self.lost_because = attempt.lost_because or self.lost_because
        # The job was cancelled, or its lease lost, before the handler began.
        if not attempt.is_running and not self.claimed.done():
            self.claimed.set_exception(self.refusal or Cancelled())


class _ForAnyKind(Mapping[str, Handler]):
    """One handler for every kind of job. It announces no kinds, so that the server assigns no queued jobs."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __getitem__(self, kind: str) -> Handler:
        return self._handler

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
