"""The one job that is claimed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from milepost.client.attaching.job import AttachedJob
from milepost.client.errors import MilepostError
from milepost.client.refusals import error_from_rejection
from milepost.client.worker.attempt import Attempt
from milepost.client.worker.desk import Desk
from milepost.client.worker.handlers import Handler
from milepost.client.worker.job import Cancelled
from milepost.client.worker.spool import Spool
from milepost.contract.reasons import OVER
from milepost.v1 import Claim, Rejected, WorkRequest

__all__ = ["ClaimingDesk"]


class ClaimingDesk(Desk):
    """Asks for a job by name, on each session anew until that is answered, and has no other.

    Attributes:
        claimed: The job, once it was assigned; or why it was not.
        refusal: Why the job was taken away again; None while it was not.
    """

    def __init__(self, job_id: str, handler: Handler, spool: Spool | None, flush_timeout: float) -> None:
        """`handler` settles `claimed`; the rest as for `Desk`."""
        super().__init__(_ForAnyKind(handler), 1, spool=spool, flush_timeout=flush_timeout)
        self.claimed: asyncio.Future[AttachedJob] = asyncio.get_running_loop().create_future()
        self.refusal: MilepostError | None = None
        self._job_id = job_id

    @property
    def has_job(self) -> bool:
        """Whether the job is this process's, as far as is known here."""
        return self.find(self._job_id) is not None

    def opening(self) -> list[WorkRequest]:
        """Goes on with the job, or asks for it."""
        resumes = super().opening()
        if self.claimed.done() or resumes:
            return resumes
        return [WorkRequest(claim=Claim(job_id=self._job_id))]

    def rejected(self, message: Rejected) -> None:
        """The claim was refused, or something about the job."""
        if not self.claimed.done() and not message.lease_token and not self.has_job:
            if message.job_id == self._job_id:
                self.claimed.set_exception(error_from_rejection(message))
            return
        if message.reason in OVER and self.find(message.job_id, message.lease_token) is not None:
            self.refusal = error_from_rejection(message)
        super().rejected(message)

    def _changed(self, attempt: Attempt) -> None:
        super()._changed(attempt)
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
