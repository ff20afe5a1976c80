"""Lease tokens: proof that a worker may write to a job.

A token is an HMAC of the store's epoch, the job and the attempt, under the store's secret. It need not be stored and
is valid across restarts. The next attempt's token differs, which fences off the holder of the old one (rules 11 and
14). A store that lost data has a new epoch, which fences off all earlier holders: it may assign the same attempt
numbers to other workers.
"""

from __future__ import annotations

import functools
import hashlib
import hmac

from milepost.v1 import Job


class LeaseTokens:
    """Make and check tokens."""

    def __init__(self, secret: bytes, epoch: str) -> None:
        self._secret = secret
        self._epoch = epoch
        # A cache, since each report is checked.
        self.token = functools.lru_cache(maxsize=10_000)(self._make)

    def _make(self, job_id: str, attempt: int) -> str:
        message = f"{self._epoch}/{job_id}/{attempt}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()[:32]

    def holds(self, job: Job, token: str) -> bool:
        """Whether the token is that of the job's current or last attempt."""
        return job.attempt > 0 and hmac.compare_digest(
            self.token(job.job_id, job.attempt).encode(), token.encode()
        )
