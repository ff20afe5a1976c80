"""Coalescing: consecutive commits of a job that wait at the same time become one row, one entry and one wake-up.

Under load reports arrive faster than they become durable. As long as they only move a job's progress, one commit for
all of them costs the store, the listeners and every replay as little as one report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from milepost.server.log.event_log import Commit
from milepost.server.log.frames import Chunk

COMMIT_BYTES_LIMIT: Final = 16 * 1024
"""Approximate size of a commit's events in bytes, unless it has only one: WatchJobs sends whole commits, and a
subscriber that does not read holds a batch of them."""


class CommitBatch:
    """Consecutive commits of one job."""

    __slots__ = ("_size", "commits")

    def __init__(self, commit: Commit) -> None:
        self.commits = [commit]
        self._size = len(commit.chunk.frames)

    def try_add(self, commit: Commit) -> bool:
        """Add the commit if it fits, and return whether it did. A state transition is always a batch of its own."""
        last = self.commits[-1]
        size = self._size + len(commit.chunk.frames)
        transitions = last.is_transition or commit.is_transition
        if size > COMMIT_BYTES_LIMIT or transitions or commit.chunk.first != last.chunk.last + 1:
            return False
        self.commits.append(commit)
        self._size = size
        return True

    def merged(self) -> Commit:
        """Merge the batch into one commit."""
        first, last = self.commits[0], self.commits[-1]
        if first is last:
            return first
        payloads = 0
        for commit in self.commits:
            payloads |= commit.payloads
        return last._replace(
            chunk=Chunk(first.chunk.first, last.chunk.last, b"".join([c.chunk.frames for c in self.commits])),
            payloads=payloads,
            state_before=first.state_before,
            fraction_before=first.fraction_before,
        )


def coalesce(commits: Sequence[Commit]) -> list[CommitBatch]:
    """Group the commits of one job, in their order, into as few batches as possible."""
    batches: list[CommitBatch] = []
    for commit in commits:
        if not batches or not batches[-1].try_add(commit):
            batches.append(CommitBatch(commit))
    return batches
