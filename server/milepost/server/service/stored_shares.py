"""What shares need of the store."""

from __future__ import annotations

import contextlib
from functools import lru_cache

from milepost.server.access.credentials.share_tokens import derive_secret
from milepost.server.access.credentials.shares import SharedJob
from milepost.server.base.refusal import Refusal
from milepost.server.log.event_log import EventLog
from milepost.server.log.log_errors import StoreBehind
from milepost.server.store_errors import refusal_of
from milepost.v1 import ErrorReason


class StoredShares:
    """The jobs of a log, for ``Shares``."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._derive = lru_cache(maxsize=1)(derive_secret)

    def secret(self) -> bytes:
        """See ``SharedJobs``."""
        if not self._log.epoch:
            raise Refusal(
                ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
                "The server is starting: it cannot check shares yet. Try again, or another one.",
                retry_delay=1.0,
            )
        return self._derive(self._log.lease_secret, self._log.epoch)

    async def find(self, job_id: str, caller: str) -> SharedJob | None:
        """See ``SharedJobs``."""
        try:
            found = await self._log.identify(job_id, caller=caller)
            if found is None:
                with contextlib.suppress(
                    StoreBehind
                ):  # a share is not in force unless this node knows it to be
                    await self._log.catch_up(job_id)
                found = await self._log.identify(job_id, caller=caller)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            raise refusal from error
        return None if found is None else SharedJob(found.owner, found.key, found.share_generation)
