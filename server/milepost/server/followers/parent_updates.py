"""Append the progress of children to their parent's log.

The store counts children with each commit, so that nothing has to be added up here. A parent gets at most one update
within the debounce time, however many of its children report.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import structlog

from milepost.contract.job_states import has_ended
from milepost.server import decide
from milepost.server.background_tasks import Tasks
from milepost.server.base.fault_log import FaultLog
from milepost.server.base.refusal import Refusal
from milepost.server.journal import Journal
from milepost.server.log.event_log import Commit, DurableCommit, Entry, EventLog
from milepost.server.log.log_errors import StoreError
from milepost.server.store_errors import STORE_RETRY_DELAY
from milepost.v1 import Event, Events, Job

_logger = structlog.get_logger("milepost.tasks")

# How long changes of children are collected before their parent is updated, in seconds.
_DEBOUNCE = 0.1


class ParentUpdates:
    """Follow the log for the progress of children."""

    def __init__(self, log: EventLog, journal: Journal, tasks: Tasks) -> None:
        self._log = log
        self._journal = journal
        self._tasks = tasks
        self._outdated: dict[str, None] = {}  # parents, in the order in which their children progressed
        # Those whose update the store did not accept, and when it is retried.
        self._refused: dict[str, None] = {}
        self._retry_time = 0.0
        self._updating = False
        self._failures = FaultLog(_logger, "parent not updated", logging.ERROR)
        self._reported_ended: dict[str, int] = {}
        """The number of ended children in the last update of each parent that has not ended."""

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Note the parents of children that have progressed, and start to update them."""
        for entry in entries:
            if isinstance(entry, DurableCommit):
                commit = entry.commit
                job_id, parent = commit.attributes.job_id, commit.attributes.parent_job_id
                if parent and (commit.fraction != commit.fraction_before or commit.ends or commit.submission):
                    self._outdated[parent] = None
                if commit.ends:
                    self._reported_ended.pop(job_id, None)
                elif commit.fraction < commit.fraction_before:
                    self._outdated[job_id] = None  # a new attempt: its children have not begun again
                elif job_id in self._outdated or job_id in self._reported_ended:
                    self._note_update(commit)
        if self._outdated and not self._updating:
            self._updating = True
            self._tasks.start(self._update_all())

    def _note_update(self, commit: Commit) -> None:
        """Note the last update of a parent, which another node may have made."""
        for event in Events.FromString(commit.chunk.frames).events:
            if event.HasField("children_progressed"):
                self._reported_ended[commit.job_id] = event.children_progressed.ended

    async def _update_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._outdated or self._refused:
                await asyncio.sleep(_DEBOUNCE)
                if loop.time() >= self._retry_time:
                    self._outdated |= self._refused
                    self._refused = {}
                outdated, self._outdated = self._outdated, {}
                for job_id in outdated:
                    if job_id in self._refused:  # it waits for its retry, whatever its children do
                        continue
                    if self._journal.is_reserved(job_id):  # so that it does not hold up the others
                        self._outdated[job_id] = None
                        continue
                    try:
                        await self._update(job_id)
                    except Refusal:  # the parent was deleted
                        self._reported_ended.pop(job_id, None)
                    except StoreError:
                        if not self._refused:
                            self._retry_time = loop.time() + STORE_RETRY_DELAY
                        self._refused[job_id] = None
                    except Exception as error:  # noqa: BLE001  # a parent that cannot be read must not hold up the others
                        self._failures.note(job_id, job_id=job_id, exc_info=error)
        finally:
            self._updating = False

    async def _update(self, job_id: str) -> None:
        # Present from now on, so that updates by other nodes are noted.
        self._reported_ended.setdefault(job_id, 0)
        children = await self._log.children_summary(job_id)

        def decision(job: Job, now: int) -> list[Event]:
            return decide.children_progressed(
                job,
                now,
                total=children.total,
                ended=children.ended,
                fraction=children.fraction,
                reported_ended=self._reported_ended.get(job_id, 0),
            )

        opened = await self._journal.commit(job_id, decision)
        self._reported_ended[job_id] = children.ended
        if has_ended(opened.job):
            self._reported_ended.pop(job_id, None)
