"""Commits of a job that go into the log together, made one: one row, one entry, one wake-up.

Under load reports come faster than they become durable. What then waits of a job, and only tells how far it is, need
not be told apart any more: joined it costs the store, those who follow and every replay as much as one commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from milepost.server.log.event_log import Commit
from milepost.server.log.frames import Chunk

COMMIT_BYTES: Final = 16 * 1024
"""How much the events of a commit come to at the most, about, or else it has one: what is one commit is shown whole in
WatchJobs, and a subscriber that does not read holds a batch of them."""


class Run:
    """Commits of a job, each of which follows upon the one before."""

    __slots__ = ("_size", "commits")

    def __init__(self, commit: Commit) -> None:
        self.commits = [commit]
        self._size = len(commit.chunk.frames)

    def take(self, commit: Commit) -> bool:
        """Whether the commit is joined to the others. Where the job's life takes a turn it stands by itself."""
        last = self.commits[-1]
        size = self._size + len(commit.chunk.frames)
        if size > COMMIT_BYTES or last.turns or commit.turns or commit.chunk.first != last.chunk.last + 1:
            return False
        self.commits.append(commit)
        self._size = size
        return True

    def joined(self) -> Commit:
        """All of them as one."""
        first, last = self.commits[0], self.commits[-1]
        if first is last:
            return first
        payloads = 0
        for commit in self.commits:
            payloads |= commit.payloads
        return replace(
            last,
            chunk=Chunk(first.chunk.first, last.chunk.last, b"".join([c.chunk.frames for c in self.commits])),
            payloads=payloads,
            state_before=first.state_before,
            fraction_before=first.fraction_before,
        )


def runs(commits: Sequence[Commit]) -> list[Run]:
    """The commits of one job, in their order, in as few runs as they make."""
    made: list[Run] = []
    for commit in commits:
        if not made or not made[-1].take(commit):
            made.append(Run(commit))
    return made
