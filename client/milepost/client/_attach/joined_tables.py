"""The tables of several blocks, as one session sees them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from milepost.client._attach.claimed_job_table import ClaimedJobTable
from milepost.client._worker.attempt import Attempt
from milepost.client._worker.send_queue import SendQueue
from milepost.v1 import Acknowledged, Assignment, Capacity, Rejected, Release, WorkRequest

__all__ = ["JoinedTables"]

_logger = logging.getLogger("milepost.client")


class JoinedTables:
    """Passes each message to the table that it is for.

    Attributes:
        send_queue: The queue of all tables.
        kinds: None: the session only claims.
        capacity: What the session announces: how many blocks there are at once.
    """

    def __init__(self, capacity: int) -> None:
        """Bind to the running loop."""
        self.send_queue = SendQueue()
        self.kinds: list[str] = []
        self.capacity = capacity
        self._tables: dict[ClaimedJobTable, None] = {}
        self._is_open = False

    def __iter__(self) -> Iterator[ClaimedJobTable]:
        return iter(tuple(self._tables))

    def __len__(self) -> int:
        return len(self._tables)

    def add(self, table: ClaimedJobTable) -> None:
        """Let the table use the session, at once if that is open."""
        self._tables[table] = None
        table.begin_session()
        if self._is_open:
            table.session_opened()

    def expect(self, blocks: int) -> None:
        """Announce so many blocks at once, if they are more than were announced."""
        if blocks > self.capacity:
            self.capacity = blocks
            if self._is_open:
                self.send_queue.enqueue(WorkRequest(capacity=Capacity(max_concurrency=blocks)))

    def remove(self, table: ClaimedJobTable) -> None:
        """Pass the table no further message."""
        self._tables.pop(table, None)
        table.session_closed()

    # The methods of `SessionJobs`.

    def prepare_session(self) -> list[str]:
        """Discard what was queued for the previous session; the ids of the jobs to resume."""
        self.send_queue.clear()
        return [job_id for table in self for job_id in table.begin_session()]

    def session_opened(self) -> None:
        """Resume all attempts on the new session, and repeat the claims."""
        self._is_open = True
        for table in self:
            table.session_opened()

    def session_closed(self) -> None:
        """Send nothing until the next session is open."""
        self._is_open = False
        for table in self:
            table.session_closed()

    def find(self, job_id: str, lease_token: str = "") -> Attempt | None:
        """The attempt at a job, if there is one."""
        found = (table.find(job_id, lease_token) for table in self)
        return next((attempt for attempt in found if attempt is not None), None)

    def start(self, assignment: Assignment) -> None:
        """Start the block that has claimed the job; without one, which was left meanwhile, release the job."""
        job_id = assignment.job.job_id
        table = next((table for table in self if table.job_id == job_id), None)
        if table is not None:
            table.start(assignment)
            return
        _logger.info("job %s is given back", job_id)
        release = Release(job_id=job_id, lease_token=assignment.lease_token)
        self.send_queue.enqueue(WorkRequest(release=release))

    def answered(self, job_id: str) -> None:
        """The server has answered for a job that the session resumes or redelivers."""
        for table in self:
            table.answered(job_id)

    def acknowledged(self, message: Acknowledged) -> None:
        """Pass an acknowledgement to its attempt or redelivery."""
        for table in self:
            table.acknowledged(message)

    def rejected(self, message: Rejected) -> None:
        """Pass a refusal to its attempt, redelivery or claim."""
        for table in self:
            table.rejected(message)
