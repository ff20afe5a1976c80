"""The attempts in progress on a worker, and its capacity for more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping

from milepost.client._worker.attempt import Attempt
from milepost.client._worker.handlers import Handler
from milepost.client._worker.send_queue import SendQueue
from milepost.client._worker.spool.redelivery import Redelivery
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.client._worker.spool.spooler import Spooler
from milepost.v1 import Acknowledged, Assignment, Capacity, Rejected, Release, WorkRequest

__all__ = ["JobTable"]

_logger = logging.getLogger("milepost.client")


class JobTable:
    """Attempts in progress, and redeliveries of earlier ones; survives reconnects.

    It announces its capacity to the session whenever it changes. While the server has not answered for each job that
    a session resumes or redelivers, their places stay reserved, and nothing is announced.

    Attributes:
        send_queue: The messages to send.
    """

    # Level at which to log that an attempt has lost its lease.
    _loss_level = logging.WARNING

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        max_concurrency: int,
        *,
        spool: SpoolDirectory | None = None,
        flush_timeout: float = 10.0,
        send_queue: SendQueue | None = None,
    ) -> None:
        """Bind to the running loop.

        Args:
            handlers: The handlers by kind of job.
            max_concurrency: Maximum number of jobs at once.
            spool: Where to write reports that the server did not acknowledge; None to drop them.
            flush_timeout: Seconds after the end of a handler until its unacknowledged reports are spooled.
            send_queue: The queue of a session that several tables share; None for one of its own.
        """
        self.send_queue: SendQueue = send_queue or SendQueue()
        self._handlers = handlers
        self._max_concurrency = max_concurrency
        self._attempts: dict[str, Attempt] = {}
        # Attempts that lost their lease, and whose handlers have not stopped yet.
        self._stragglers: set[Attempt] = set()
        self._accepting = True
        self._connected = False
        self._announced_capacity = 0
        # Ids of jobs to resume or redeliver that the server has not answered for.
        self._unanswered: set[str] = set()
        self._spooler = Spooler(spool, flush_timeout)
        # Reports of earlier workers, by lease token.
        self._redeliveries = {
            report.lease_token: Redelivery(report, self.send_queue, self._redelivered)
            for report in (spool.recovered if spool else ())
        }
        if self._redeliveries:
            _logger.info("redelivering spooled reports of %d jobs", len(self._redeliveries))
        self._all_redelivered = asyncio.Event()
        if not self._redeliveries:
            self._all_redelivered.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __iter__(self) -> Iterator[Attempt]:
        return iter(tuple(self._attempts.values()))

    def __len__(self) -> int:
        return len(self._attempts)

    @property
    def kinds(self) -> list[str]:
        """The kinds of job that have a handler."""
        return list(self._handlers)

    @property
    def capacity(self) -> int:
        """Number of jobs that the server may have running here; a handler that does not stop occupies a place."""
        if not self._accepting:
            return 0
        return max(self._max_concurrency - len(self._stragglers) - len(self._unanswered), 0)

    @property
    def is_connected(self) -> bool:
        """Whether a session is open."""
        return self._connected

    @property
    def running(self) -> int:
        """Number of running handlers whose leases hold."""
        return sum(attempt.is_running for attempt in self._attempts.values())

    def find(self, job_id: str, lease_token: str = "") -> Attempt | None:
        """The attempt at a job, if there is one; with a lease token, only if it matches."""
        attempt = self._attempts.get(job_id)
        return attempt if attempt is not None and attempt.matches(lease_token) else None

    # The session.

    def prepare_session(self) -> list[str]:
        """Discard what was queued for the previous session; the ids of the jobs to resume.

        `capacity` is what the session then announces in its hello.
        """
        self.send_queue.clear()
        return self.begin_session()

    def begin_session(self) -> list[str]:
        """Forget what the previous session announced and awaited; the ids of the jobs to resume."""
        resumed = [attempt.job_id for attempt in self]
        self._unanswered = {*resumed, *(redelivery.job_id for redelivery in self._redeliveries.values())}
        self._announced_capacity = self.capacity
        return resumed

    def session_opened(self) -> None:
        """Resume all attempts and redeliveries on the new session."""
        for request in self.opening_requests():
            self.send_queue.enqueue(request)
        self._connected = True
        self._announce_capacity()

    def opening_requests(self) -> list[WorkRequest]:
        """The first requests of a session, which resume the attempts."""
        for redelivery in self._redeliveries.values():
            redelivery.attach()
        return [attempt.resume_request() for attempt in self]

    def session_closed(self) -> None:
        """Send nothing until the next session is open."""
        self._connected = False
        for sender in (*self, *self._redeliveries.values()):
            sender.detach()

    def answered(self, job_id: str) -> None:
        """The server has answered for a job that the session resumes or redelivers."""
        self._unanswered.discard(job_id)
        self._announce_capacity()

    # Messages of the server.

    def start(self, assignment: Assignment) -> None:
        """Start the handler of an assigned job; release the job if there is none, or if the worker is stopping."""
        job = assignment.job
        handler = self._handlers.get(job.kind)
        if handler is None or not self._accepting:
            _logger.info("job %s is given back", job.job_id)
            release = Release(job_id=job.job_id, lease_token=assignment.lease_token)
            self.send_queue.enqueue(WorkRequest(release=release))
            return
        _logger.info("job %s: attempt %d at %s", job.job_id, job.attempt, job.kind)
        before = self._attempts.get(job.job_id)
        if before is not None:
            before.replace()
        self._attempts[job.job_id] = Attempt(
            assignment, handler, self.send_queue, self._attempt_changed, loss_level=self._loss_level
        )
        self._idle.clear()
        self._empty.clear()

    def acknowledged(self, message: Acknowledged) -> None:
        """Pass an acknowledgement to its attempt or redelivery."""
        if (redelivery := self._redeliveries.get(message.lease_token)) is not None:
            redelivery.acknowledged(message.report_sequence)
        elif (attempt := self.find(message.job_id, message.lease_token)) is not None:
            attempt.acknowledged(message.report_sequence)

    def rejected(self, message: Rejected) -> None:
        """Pass a refusal to its attempt or redelivery."""
        if (redelivery := self._redeliveries.get(message.lease_token)) is not None:
            redelivery.rejected(message)
        elif (attempt := self.find(message.job_id, message.lease_token)) is not None:
            attempt.rejected(message)

    # The end of the worker.

    def stop_accepting(self) -> None:
        """Accept no more jobs."""
        self._accepting = False
        self._announce_capacity()

    async def idle(self) -> None:
        """Wait until no handler is running."""
        await self._idle.wait()

    async def empty(self) -> None:
        """Wait until no attempt is left."""
        await self._empty.wait()

    async def record_ends(self) -> None:
        """Wait until no handler is running, and the ends of all are on disk, or the server has them."""
        await self.idle()
        ends = [asyncio.ensure_future(wait) for wait in (self.empty(), self._spooler.write(self))]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ends[0].cancel()

    async def redelivered(self) -> None:
        """Wait until the server has answered for all reports of earlier workers."""
        await self._all_redelivered.wait()

    def close(self) -> None:
        """Spool the undelivered reports of all attempts or, without a spool, log them as lost."""
        self._spooler.close(self)
        self._handlers = {}  # that of a block has the block, which has this

    # Private.

    def _redelivered(self, redelivery: Redelivery) -> None:
        del self._redeliveries[redelivery.lease_token]
        if not self._redeliveries:
            self._all_redelivered.set()
        self._spooler.remove(redelivery.job_id, redelivery.lease_token)
        self.answered(redelivery.job_id)

    def _attempt_changed(self, attempt: Attempt) -> None:
        if attempt.is_over:
            self._spooler.attempt_over(attempt)
            if self._attempts.get(attempt.job_id) is attempt:
                del self._attempts[attempt.job_id]
            if attempt.is_running:
                self._stragglers.add(attempt)
            else:
                self._stragglers.discard(attempt)
        elif not attempt.is_running:
            self._spooler.handler_ended(attempt)
        if not self.running:
            self._idle.set()
        if not self._attempts:
            self._empty.set()
        self._announce_capacity()

    def _announce_capacity(self) -> None:
        if self._connected and not self._unanswered and self.capacity != self._announced_capacity:
            self._announced_capacity = self.capacity
            self.send_queue.enqueue(WorkRequest(capacity=Capacity(max_concurrency=self._announced_capacity)))
