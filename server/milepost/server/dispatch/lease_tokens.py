"""Lease tokens: proof that a worker may write to a job.

A token is an HMAC of the store's epoch, the job and the attempt, under the store's secret. It need not be stored and
is valid across restarts. The next attempt's token differs, which fences off the holder of the old one (rules 11 and
14). So does that of a later job with the id of a deleted one: a job is meant by its id and the time of its submission.
A store that lost data has a new epoch, which fences off all earlier holders: it may assign the same attempt numbers to
other workers.
"""

from __future__ import annotations

import functools
import hashlib
import hmac

from milepost.contract.job_states import LEASED
from milepost.server.base.refusal import attempt_over, lease_lost
from milepost.v1 import Job


class LeaseTokens:
    """Make and check tokens."""

    def __init__(self, secret: bytes, epoch: str) -> None:
        self._secret = secret
        self._epoch = epoch
        # A cache, since most reports are checked.
        self._cached = functools.lru_cache(maxsize=10_000)(self._make)

    def token(self, job: Job, attempt: int) -> str:
        """The token of an attempt at the job."""
        submitted = job.submit_time
        return self._cached(job.job_id, submitted.seconds, submitted.nanos, attempt)

    def _make(self, job_id: str, seconds: int, nanos: int, attempt: int) -> str:
        message = f"{self._epoch}/{job_id}/{seconds}.{nanos:09}/{attempt}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()[:32]

    def holds(self, job: Job, token: str) -> bool:
        """Whether the token is that of the job's current or last attempt."""
        return job.attempt > 0 and hmac.compare_digest(self.token(job, job.attempt).encode(), token.encode())

    def check(self, job: Job, token: str) -> None:
        """Check that the token is that of the current attempt, and that the attempt goes on.

        Raises LEASE_LOST, or JOB_ENDED where the job has ended with it.
        """
        if not self.holds(job, token):
            raise lease_lost(job)
        if job.state not in LEASED:
            raise attempt_over(job)
