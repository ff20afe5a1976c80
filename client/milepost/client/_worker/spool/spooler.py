"""What becomes of a job's end that the server does not take: it is kept on disk, where there is a spool for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from milepost.client._worker.attempt import Attempt
from milepost.client._worker.spool.spool_directory import Spool
from milepost.v1 import Report

__all__ = ["Spooler"]

_log = logging.getLogger("milepost.client")


class Spooler:
    """Watches over the attempts whose handlers have ended.

    When the flush timeout has passed, the rest of what an attempt has to tell is written down, should this process come
    to an end before the server is back; it is told all the same as soon as that can be. The disk is written in a thread
    of its own, in order, so that it holds nobody up. What goes wrong with it is logged, and fails no job (rule 15).
    """

    def __init__(self, spool: Spool | None, flush_timeout: float) -> None:
        self._spool = spool
        self._flush_timeout = flush_timeout
        self._timers: dict[Attempt, asyncio.TimerHandle] = {}
        # By the lease tokens that they are kept under.
        self._kept: dict[Attempt, str] = {}
        self._disk = ThreadPoolExecutor(1, "milepost spool")

    def ended(self, attempt: Attempt) -> None:
        """The handler has ended; the server is to be told of it until the flush timeout has passed."""
        if self._spool is not None and attempt not in self._timers and attempt not in self._kept:
            loop = asyncio.get_running_loop()
            self._timers[attempt] = loop.call_later(self._flush_timeout, self._keep, attempt)

    def over(self, attempt: Attempt) -> None:
        """There is nothing more to tell of it."""
        timer = self._timers.pop(attempt, None)
        if timer is not None:
            timer.cancel()
        lease_token = self._kept.pop(attempt, None)
        if lease_token is not None:
            self.forget(attempt.job_id, lease_token)

    def forget(self, job_id: str, lease_token: str) -> None:
        """What is kept of this attempt is told."""
        if self._spool is not None:
            self._write(job_id, self._spool.forget, job_id, lease_token)

    def close(self, attempts: Iterable[Attempt]) -> None:
        """The process is about to end: what these have left to tell is kept now. Waits for the disk."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for attempt in attempts:
            self._keep(attempt)
        self._disk.shutdown()
        if self._spool is not None:
            self._spool.close()

    def _keep(self, attempt: Attempt) -> None:
        self._timers.pop(attempt, None)
        rest = attempt.rest()
        if rest is None:
            return
        job_id, count = rest.job_id, len(rest.updates)
        if self._spool is None:
            _log.warning(
                "job %s: %d updates and its end were not delivered, and there is no spool", job_id, count
            )
            return
        _log.warning("job %s: %d updates and its end are not delivered yet, and kept", job_id, count)
        self._kept[attempt] = rest.lease_token
        self._write(job_id, self._spool.keep, rest)

    def _write(self, job_id: str, write: Callable[..., None], *arguments: str | Report) -> None:
        def work() -> None:
            try:
                write(*arguments)
            except OSError as error:
                _log.error("job %s: the spool cannot be written: %s", job_id, error)

        self._disk.submit(work)
