"""The jobs that a worker has, and how many more it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

from milepost.client.worker.attempt import Attempt
from milepost.client.worker.handlers import Handler
from milepost.client.worker.outbox import Outbox
from milepost.v1 import Assignment, Rejected, Release, WorkRequest

__all__ = ["Desk"]

_log = logging.getLogger("milepost.client")


class Desk:
    """Outlives the sessions.

    Attributes:
        outbox: What is to be said.
        on_change: Called when `capacity` may have changed.
    """

    def __init__(self, handlers: Mapping[str, Handler], max_concurrency: int) -> None:
        """For the running loop. `handlers` are by kind."""
        self.outbox = Outbox()
        self.on_change: Callable[[], None] = lambda: None
        self._handlers = handlers
        self._max_concurrency = max_concurrency
        self._attempts: dict[str, Attempt] = {}
        # Those whose jobs are not this worker's any more, but whose handlers have not stopped yet.
        self._stragglers: set[Attempt] = set()
        self._taking = True
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
        self._empty.clear()

    def opening(self) -> list[WorkRequest]:
        """What a new session begins with: it goes on with the jobs of the one before."""
        return [attempt.resume() for attempt in self]

    def rejected(self, message: Rejected) -> None:
        """The server refused something."""
        if (attempt := self.find(message.job_id, message.lease_token)) is not None:
            attempt.rejected(message)

    def stop_taking(self) -> None:
        """Takes no more jobs."""
        self._taking = False
        self.on_change()

    async def empty(self) -> None:
        """Waits until there is no job left."""
        await self._empty.wait()

    def _changed(self, attempt: Attempt) -> None:
        if attempt.is_over:
            if self._attempts.get(attempt.job_id) is attempt:
                del self._attempts[attempt.job_id]
            if attempt.is_running:
                self._stragglers.add(attempt)
            else:
                self._stragglers.discard(attempt)
        if not self._attempts:
            self._empty.set()
        self.on_change()
