"""Leases: who may write to a job, proved by a token, and until when.

A token is made from the store's secret and epoch, the job and the attempt. It needs no keeping, holds across restarts,
and the next attempt's differs, which fences off whoever still has the old one (rules 11 and 14). A store that lost
something, and has a new epoch, fences off all from before: it may come to give the same attempts to others.
"""

from __future__ import annotations

import functools
import hashlib
import hmac

from milepost.v1 import Job


class LeaseTokens:
    """Makes and checks tokens."""

    def __init__(self, secret: bytes, epoch: str) -> None:
        self._secret = secret
        self._epoch = epoch
        # Each report is checked, so those of running attempts are kept.
        self.token = functools.lru_cache(maxsize=10_000)(self._make)

    def _make(self, job_id: str, attempt: int) -> str:
        told = f"{self._epoch}/{job_id}/{attempt}".encode()
        return hmac.new(self._secret, told, hashlib.sha256).hexdigest()[:32]

    def holds(self, job: Job, token: str) -> bool:
        """Whether the token is that of the job's current or last attempt."""
        return job.attempt > 0 and hmac.compare_digest(
            self.token(job.job_id, job.attempt).encode(), token.encode()
        )
