"""Cancel the children of a cancelled job (rule 18), and theirs."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from milepost.server import decide
from milepost.server.background_tasks import Tasks
from milepost.server.base.fault_log import FaultLog
from milepost.server.base.refusal import Refusal
from milepost.server.journal import Decision, Journal
from milepost.server.log.event_log import EventLog
from milepost.server.log.log_errors import StoreError
from milepost.server.store_errors import STORE_RETRY_DELAY, retry_store_errors
from milepost.v1 import Job, JobState

_logger = structlog.get_logger("milepost.tasks")

# Children that are read at once.
_PAGE_SIZE = 1000

# The delay before another read of a parent, or of children, doubles so often at most: up to 64 s.
_DOUBLINGS: Final = 6

_CANCELLED = frozenset({JobState.JOB_STATE_CANCELLING, JobState.JOB_STATE_CANCELLED})


class ChildCancellation:
    """Propagate cancellations from parents to children."""

    def __init__(self, log: EventLog, journal: Journal, tasks: Tasks) -> None:
        self._log = log
        self._journal = journal
        self._tasks = tasks
        self._failures = FaultLog(_logger, "child not cancelled", logging.ERROR)
        self._unread = FaultLog(_logger, "parent cannot be read; its children may run on", logging.ERROR)
        self._unlisted = FaultLog(_logger, "children of a cancelled job cannot be read yet", logging.ERROR)
        # Parents of jobs that were queued since they were looked at.
        self._unchecked: dict[str, None] = {}
        # Parents that could not be read, and are tried again.
        self._unreadable: set[str] = set()
        self._checking = False

    def on_transition(self, job: Job) -> None:
        """Cancel the children of a job that is cancelled, or being cancelled."""
        if job.state in _CANCELLED:
            self._cancel_children(job)
        elif job.state == JobState.JOB_STATE_QUEUED and job.parent_job_id:
            self._unchecked[job.parent_job_id] = None
            if not self._checking:
                self._checking = True
                self._tasks.start(self._check_parents())

    async def recover(self, parent_job_id: str) -> None:
        """Cancel the jobs whose parent was cancelled during their submission, or while the server was down.

        It looks no further up: the parent's own parent is looked at for the parent. One that cannot be read, such as a
        damaged row, holds up no other: it is read again later.
        """
        if not await self._try_recover(parent_job_id) and parent_job_id not in self._unreadable:
            self._unreadable.add(parent_job_id)
            self._tasks.start(self._recover_later(parent_job_id))

    async def _recover_later(self, parent_job_id: str) -> None:
        """Try again and ever later: nobody else would, and the children run on."""
        try:
            for failures in itertools.count():
                await asyncio.sleep(_delay(failures))
                if await retry_store_errors(partial(self._try_recover, parent_job_id)):
                    return
        finally:
            self._unreadable.discard(parent_job_id)

    async def _try_recover(self, parent_job_id: str) -> bool:
        """Whether the parent could be read. Raises errors of the store."""
        try:
            parent = await self._log.load(parent_job_id)
            if parent is not None and parent.job.state in _CANCELLED:
                self._cancel_children(parent.job)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  # such as of a damaged row
            self._unread.note(parent_job_id, job_id=parent_job_id, exc_info=error)
            return False
        return True

    async def _check_parents(self) -> None:
        """Look at each parent once for all of its children that were queued before."""
        try:
            while self._unchecked:
                parent_job_id = next(iter(self._unchecked))
                del self._unchecked[parent_job_id]
                await retry_store_errors(partial(self.recover, parent_job_id))
        finally:
            self._checking = False

    def _cancel_children(self, parent: Job) -> None:
        # The task holds no job, which may be large: it may wait for the store.
        decision = decide.parent_cancelled(parent, self._journal.ages.age)
        self._tasks.start(self._cancel_each(parent.job_id, decision))

    async def _cancel_each(self, parent_job_id: str, decision: Decision) -> None:
        """Cancel all children; a second time, and so on, those that the store did not accept."""
        refused: list[str] = []
        after = 0
        while children := await self._read_children(parent_job_id, after):
            for after, job_id in children:
                if not await self._try_cancel(job_id, decision):
                    refused.append(job_id)
        while refused:
            await asyncio.sleep(STORE_RETRY_DELAY)
            refused = [job_id for job_id in refused if not await self._try_cancel(job_id, decision)]

    async def _read_children(self, parent_job_id: str, after: int) -> Sequence[tuple[int, str]]:
        """Read the next page; after any error, such as of a damaged page, again and ever later: nobody else would."""
        read = partial(self._log.active_children, parent_job_id, after, _PAGE_SIZE)
        failures = 0
        while True:
            try:
                return await retry_store_errors(read)
            except Exception as error:  # noqa: BLE001  # whatever it is, the children behind it would run on
                self._unlisted.note(parent_job_id, job_id=parent_job_id, exc_info=error)
            await asyncio.sleep(_delay(failures))
            failures += 1

    async def _try_cancel(self, job_id: str, decision: Decision) -> bool:
        """Cancel one child; False if the store did not accept that. One that fails must not hold up the others."""
        try:
            await self._journal.commit(job_id, decision)
        except Refusal:  # the child was deleted
            return True
        except StoreError:
            return False
        except Exception as error:  # noqa: BLE001  # such as of a damaged row
            self._failures.note(job_id, job_id=job_id, exc_info=error)
        return True


def _delay(failures: int) -> float:
    """Seconds before the next read, after so many more that have failed."""
    return float(STORE_RETRY_DELAY * 2 ** min(failures, _DOUBLINGS))
