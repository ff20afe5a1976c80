"""Spooling of reports that the server does not acknowledge in time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from milepost.client._worker.attempt import Attempt
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.v1 import Report

__all__ = ["Spooler"]

_logger = logging.getLogger("milepost.client")


class Spooler:
    """Spools the reports of attempts whose handlers have ended.

    Once the flush timeout has passed, it writes the unacknowledged updates of an attempt to the spool, in case the
    process ends before the server is back; the attempt goes on trying to deliver them. A thread writes to the disk, in
    order, so that it blocks nobody. Errors are logged, and fail no job (rule 15).
    """

    def __init__(self, spool: SpoolDirectory | None, flush_timeout: float) -> None:
        self._spool = spool
        self._flush_timeout = flush_timeout
        self._timers: dict[Attempt, asyncio.TimerHandle] = {}
        # Lease tokens of spooled attempts.
        self._spooled: dict[Attempt, str] = {}
        self._writer = ThreadPoolExecutor(1, "milepost spool")
        self._closed = False

    def handler_ended(self, attempt: Attempt) -> None:
        """Start the flush timeout of an attempt whose handler has ended."""
        if (
            self._spool is not None
            and not self._closed
            and attempt not in self._timers
            and attempt not in self._spooled
        ):
            loop = asyncio.get_running_loop()
            self._timers[attempt] = loop.call_later(self._flush_timeout, self._write_report, attempt)

    def attempt_over(self, attempt: Attempt) -> None:
        """Stop the timeout of an attempt, and remove its report from the spool."""
        timer = self._timers.pop(attempt, None)
        if timer is not None:
            timer.cancel()
        lease_token = self._spooled.pop(attempt, None)
        if lease_token is not None:
            self.remove(attempt.job_id, lease_token)

    def remove(self, job_id: str, lease_token: str) -> None:
        """Remove the report of an attempt from the spool, which belongs to the next worker after `close`."""
        if self._spool is not None and not self._closed:
            self._submit(job_id, self._spool.remove, job_id, lease_token)

    async def write(self, attempts: Iterable[Attempt]) -> None:
        """Spool the reports of these attempts now, in case the process is killed before the server has them.

        Returns once they are on disk; at once after `close`, which has written them.
        """
        if self._spool is not None and not self._closed:
            for attempt in attempts:
                self._write_report(attempt, logging.DEBUG)
            await asyncio.wait((asyncio.wrap_future(self._writer.submit(lambda: None)),))

    def close(self, attempts: Iterable[Attempt]) -> None:
        """Spool the reports of all attempts now, since the process is about to end. Blocks until they are written."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for attempt in attempts:
            self._write_report(attempt)
        self._closed = True
        self._writer.shutdown()
        if self._spool is not None:
            self._spool.close()

    def _write_report(self, attempt: Attempt, level: int = logging.WARNING) -> None:
        if (timer := self._timers.pop(attempt, None)) is not None:
            timer.cancel()
        report = attempt.undelivered_report()
        if report is None:
            return
        job_id, count = report.job_id, len(report.updates)
        if self._spool is None:
            _logger.warning(
                "job %s: %d updates with the end of the job were not delivered and are lost: there is no spool",
                job_id,
                count,
            )
            return
        text = "job %s: %d updates with the end of the job are not delivered yet; spooling them"
        _logger.log(level, text, job_id, count)
        self._spooled[attempt] = report.lease_token
        self._submit(job_id, self._spool.write, report)

    def _submit(self, job_id: str, write: Callable[..., None], *arguments: str | Report) -> None:
        def run() -> None:
            try:
                write(*arguments)
            except OSError as error:
                _logger.error("job %s: the spool cannot be written: %s", job_id, error)

        self._writer.submit(run)
