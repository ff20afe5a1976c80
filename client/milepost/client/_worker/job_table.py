"""The jobs that a worker has, and how many more it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

from milepost.client._worker.attempt import Attempt
from milepost.client._worker.handlers import Handler
from milepost.client._worker.send_queue import Outbox
from milepost.client._worker.spool.redelivery import Redelivery
from milepost.client._worker.spool.spool_directory import Spool
from milepost.client._worker.spool.spooler import Spooler
from milepost.v1 import Acknowledged, Assignment, Rejected, Release, WorkRequest

__all__ = ["JobTable"]

_log = logging.getLogger("milepost.client")


class JobTable:
    """Outlives the sessions.

    Attributes:
        outbox: What is to be said.
        on_change: Called when `capacity` may have changed.
        on_told: Called with a job of an earlier worker of which there is nothing left to tell.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        max_concurrency: int,
        *,
        spool: Spool | None = None,
        flush_timeout: float = 10.0,
    ) -> None:
        """For the running loop.

        Args:
            handlers: By kind.
            max_concurrency: How many jobs it takes at once.
            spool: Where it keeps what the server does not take; None for nowhere.
            flush_timeout: For how many seconds it does not, after a handler has ended.
        """
        self.outbox = Outbox()
        self.on_change: Callable[[], None] = lambda: None
        self.on_told: Callable[[str], None] = lambda job_id: None
        self._handlers = handlers
        self._max_concurrency = max_concurrency
        self._attempts: dict[str, Attempt] = {}
        # Those whose jobs are not this worker's any more, but whose handlers have not stopped yet.
        self._stragglers: set[Attempt] = set()
        self._taking = True
        self._keeping = Spooler(spool, flush_timeout)
        # What earlier workers have left to tell, by its lease token.
        self._kept = {
            rest.lease_token: Redelivery(rest, self.outbox, self._told)
            for rest in (spool.left if spool else ())
        }
        if self._kept:
            _log.info("earlier workers have left something to tell of %d jobs", len(self._kept))
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
        """The kinds of job that there are handlers for."""
        return list(self._handlers)

    @property
    def capacity(self) -> int:
        """How many jobs it may have at once; a handler that does not stop takes up a place."""
        return max(self._max_concurrency - len(self._stragglers), 0) if self._taking else 0

    @property
    def kept_jobs(self) -> list[str]:
        """The jobs of earlier workers that there is something left to tell of."""
        return [kept.job_id for kept in self._kept.values()]

    @property
    def running(self) -> int:
        """How many handlers are at work on jobs of this worker."""
        return sum(attempt.is_running for attempt in self._attempts.values())

    def find(self, job_id: str, lease_token: str = "") -> Attempt | None:
        """The attempt at this job, if it has one; with a token only the one that the token is of."""
        attempt = self._attempts.get(job_id)
        return attempt if attempt is not None and attempt.is_of(lease_token) else None

    def take_on(self, assignment: Assignment) -> None:
        """Starts a handler for the job; gives it back at once where none is to start."""
        job = assignment.job
        handler = self._handlers.get(job.kind)
        if handler is None or not self._taking:
            _log.info("job %s is given back", job.job_id)
            release = Release(job_id=job.job_id, lease_token=assignment.lease_token)
            self.outbox.say(WorkRequest(release=release))
            return
        _log.info("job %s: attempt %d at %s", job.job_id, job.attempt, job.kind)
        before = self._attempts.get(job.job_id)
        if before is not None:
            before.replace()
        self._attempts[job.job_id] = Attempt(assignment, handler, self.outbox, self._changed)
        self._idle.clear()
        self._empty.clear()

    def opening(self) -> list[WorkRequest]:
        """What a new session begins with: it goes on with the jobs of the one before."""
        for kept in self._kept.values():
            kept.attach()
        return [attempt.resume() for attempt in self]

    def detach(self) -> None:
        """The session is over."""
        self.on_change, self.on_told = lambda: None, lambda job_id: None
        for about in (*self, *self._kept.values()):
            about.attached = False

    def acknowledged(self, message: Acknowledged) -> None:
        """Reports are durable."""
        if (kept := self._kept.get(message.lease_token)) is not None:
            kept.acknowledged(message.report_sequence)
        elif (attempt := self.find(message.job_id, message.lease_token)) is not None:
            attempt.acknowledged(message.report_sequence)

    def rejected(self, message: Rejected) -> None:
        """The server refused something."""
        if (kept := self._kept.get(message.lease_token)) is not None:
            kept.rejected(message)
        elif (attempt := self.find(message.job_id, message.lease_token)) is not None:
            attempt.rejected(message)

    def stop_taking(self) -> None:
        """Takes no more jobs."""
        self._taking = False
        self.on_change()

    async def idle(self) -> None:
        """Waits until no handler is at work any more."""
        await self._idle.wait()

    async def empty(self) -> None:
        """Waits until there is no job left."""
        await self._empty.wait()

    def close(self) -> None:
        """The worker ends. What its jobs have left to tell is kept, or it is said what is lost."""
        self._keeping.close(self)

    def _told(self, kept: Redelivery) -> None:
        del self._kept[kept.lease_token]
        self._keeping.forget(kept.job_id, kept.lease_token)
        self.on_told(kept.job_id)

    def _changed(self, attempt: Attempt) -> None:
        if attempt.is_over:
            self._keeping.over(attempt)
            if self._attempts.get(attempt.job_id) is attempt:
                del self._attempts[attempt.job_id]
            if attempt.is_running:
                self._stragglers.add(attempt)
            else:
                self._stragglers.discard(attempt)
        elif not attempt.is_running:
            self._keeping.ended(attempt)
        if not self.running:
            self._idle.set()
        if not self._attempts:
            self._empty.set()
        self.on_change()
