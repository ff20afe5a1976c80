"""The one job that is claimed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from typing import Final

from milepost.client._attach.attached_job import AttachedJob
from milepost.client._transport.error_mapping import error_from_rejection
from milepost.client._worker.attempt import Attempt
from milepost.client._worker.handlers import Handler
from milepost.client._worker.job_context import Cancelled
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.spool.spool_directory import Spool
from milepost.client.errors import MilepostError
from milepost.contract.reasons import ATTEMPT_OVER
from milepost.v1 import Claim, ErrorReason, Rejected, WorkRequest

__all__ = ["ClaimedJobTable"]

_log = logging.getLogger("milepost.client")

# Seconds between two claims of a job that another has.
_ASK_AGAIN: Final = 0.5
_PASSING: Final = frozenset({ErrorReason.ERROR_REASON_LEASE_LOST, ErrorReason.ERROR_REASON_LIMIT_REACHED})


class ClaimedJobTable(JobTable):
    """Asks for a job by name, on each session anew until that is answered, and has no other.

    While another has the job, or its concurrency key is at its limit, it asks again until `wait` seconds are over.

    Attributes:
        claimed: The job, once it was assigned; or why it was not.
        refusal: Why the job was taken away again, in the server's words; None while it was not.
        taken_because: The same in this process's words.
    """

    def __init__(
        self, job_id: str, handler: Handler, spool: Spool | None, flush_timeout: float, wait: float
    ) -> None:
        """`handler` settles `claimed`; the rest as for `Desk`."""
        super().__init__(_ForAnyKind(handler), 1, spool=spool, flush_timeout=flush_timeout)
        self._loop = asyncio.get_running_loop()
        self._wait_until = self._loop.time() + wait
        self._asking_again: asyncio.TimerHandle | None = None
        self._waits = False
        self.claimed: asyncio.Future[AttachedJob] = self._loop.create_future()
        self.refusal: MilepostError | None = None
        self.taken_because = ""
        self._job_id = job_id

    @property
    def has_job(self) -> bool:
        """Whether the job is this process's, as far as is known here."""
        return self.find(self._job_id) is not None

    def opening(self) -> list[WorkRequest]:
        """Goes on with the job, or asks for it."""
        if self._asking_again is not None:
            self._asking_again.cancel()
        resumes = super().opening()
        return resumes if self.claimed.done() or resumes else [self._claim()]

    def stop_taking(self) -> None:
        """Stop claiming: a session that only gives the job back must not ask for it again."""
        super().stop_taking()
        if self._asking_again is not None:
            self._asking_again.cancel()
        self.claimed.cancel()

    def rejected(self, message: Rejected) -> None:
        """The claim was refused, or something about the job."""
        if not self.claimed.done() and not message.lease_token and not self.has_job:
            if message.job_id == self._job_id and not self._ask_again(message):
                self.claimed.set_exception(error_from_rejection(message))
            return
        if message.reason in ATTEMPT_OVER and self.find(message.job_id, message.lease_token) is not None:
            self.refusal = error_from_rejection(message)
        super().rejected(message)

    def _claim(self) -> WorkRequest:
        return WorkRequest(claim=Claim(job_id=self._job_id))

    def _ask_again(self, message: Rejected) -> bool:
        """Whether what the claim was refused for may pass in time; then it is made again in a moment."""
        left = self._wait_until - self._loop.time()
        if message.reason not in _PASSING or left <= 0:
            return False
        if not self._waits:
            self._waits = True
            _log.info("job %s: waits up to %.1f s to be claimed: %s", self._job_id, left, message.message)
        self._asking_again = self._loop.call_later(
            min(_ASK_AGAIN, left), lambda: self.outbox.say(self._claim())
        )
        return True

    def _changed(self, attempt: Attempt) -> None:
        super()._changed(attempt)
        self.taken_because = attempt.lost_because or self.taken_because
        # It was cancelled, or taken away, before the handler had begun.
        if not attempt.is_running and not self.claimed.done():
            self.claimed.set_exception(self.refusal or Cancelled())


class _ForAnyKind(Mapping[str, Handler]):
    """One handler for whatever kind the job is of. The server is told of no kinds: nothing is to be queued for it."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __getitem__(self, kind: str) -> Handler:
        return self._handler

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
