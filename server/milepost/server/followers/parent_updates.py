"""Keeping parents as far as their children are, in their own logs.

The store counts children as their commits are made, so that nothing has to be added up here; and a parent is told at
most once in a moment, however many of its children report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from milepost.contract.job_states import has_ended
from milepost.server import decide
from milepost.server.journal import Journal, OpenJob
from milepost.server.log.event_log import Commit, DurableCommit, Entry, EventLog
from milepost.server.rpc.refusal import Refusal
from milepost.server.rpc.store_errors import STORE_ERRORS
from milepost.server.runtime.background_tasks import Tasks
from milepost.v1 import Event, Events

# How long changes of children are gathered before their parent is told, in seconds.
_GATHER = 0.1


class ParentUpdates:
    """Follows the log for children that have moved."""

    def __init__(self, log: EventLog, journal: Journal, tasks: Tasks) -> None:
        self._log = log
        self._journal = journal
        self._tasks = tasks
        self._moved: dict[str, None] = {}  # in the order in which they moved
        self._telling = False
        self._ended: dict[str, int] = {}
        """How many ended children the parents that have not ended were last told of."""

    def publish(self, entries: Sequence[Entry]) -> None:
        """Takes in what has become durable."""
        for entry in entries:
            if isinstance(entry, DurableCommit):
                commit = entry.commit
                moved = commit.fraction != commit.fraction_before or commit.ends or commit.submission
                if commit.attributes.parent_job_id and moved:
                    self._moved[commit.attributes.parent_job_id] = None
                if commit.job_id in self._moved or commit.job_id in self._ended:
                    self._hear(commit)
        if self._moved and not self._telling:
            self._telling = True
            self._tasks.start(self._tell())

    def _hear(self, commit: Commit) -> None:
        """What a parent was told, also by another node."""
        for event in Events.FromString(commit.chunk.frames).events:
            if event.HasField("children_progressed"):
                self._ended[commit.job_id] = event.children_progressed.ended

    async def _tell(self) -> None:
        try:
            while self._moved:
                await asyncio.sleep(_GATHER)
                moved, self._moved = self._moved, {}
                for job_id in moved:
                    try:
                        await self._tell_one(job_id)
                    except Refusal:  # the parent was deleted
                        self._ended.pop(job_id, None)
                    except STORE_ERRORS:  # it may have room, or be there, the next time
                        self._moved[job_id] = None
        finally:
            self._telling = False

    async def _tell_one(self, job_id: str) -> None:
        self._ended.setdefault(job_id, 0)  # so that it is heard what other nodes tell
        family = await self._log.children_summary(job_id)

        def decision(opened: OpenJob, now: int) -> list[Event]:
            return decide.family(
                opened.job,
                total=family.total,
                ended=family.ended,
                fraction=family.fraction,
                now=now,
                told_ended=self._ended[job_id],
            )

        opened = await self._journal.act(job_id, decision)
        self._ended[job_id] = family.ended
        if has_ended(opened.job):
            self._ended.pop(job_id, None)
