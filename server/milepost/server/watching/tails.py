"""The newest frames of the jobs that somebody watches, and the wake-ups of those who do.

A tail is filled from what has just become durable. A subscriber that stands within it is served from memory, without a
read of the log; one that stands before it reads the log until it has come up. Subscribers are cursors, not queues: the
tail is shared, and none of them holds anything back (rule 7).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from milepost.server.decide import FINAL
from milepost.server.log.event_log import Commit, Page
from milepost.server.log.frames import Chunk

# What one job's tail holds at the most, in bytes. A subscriber that falls further behind reads the log.
_TAIL_MOST = 1 << 20


class Tail:
    """The newest chunks of one job's log.

    ``head`` is None until the first commit since somebody watches; ``first`` is the oldest event that the log keeps,
    as it was last read.
    """

    __slots__ = ("_chunks", "_size", "changed", "ended", "first", "fraction", "head", "watchers")

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self._size = 0
        self.first = 1
        self.fraction = 0.0
        self.head: int | None = None
        self.ended = False
        self.watchers = 0
        self.changed = asyncio.Event()

    def push(self, commit: Commit) -> None:
        """Takes in what has become durable, and wakes everybody up."""
        self._chunks.append(commit.chunk)
        self._size += len(commit.chunk.frames)
        while self._size > _TAIL_MOST and len(self._chunks) > 1:
            self._size -= len(self._chunks.popleft().frames)
        self.fraction = commit.fraction
        self.head = commit.chunk.last
        self.ended = commit.state in FINAL
        self.wake()

    def wake(self) -> None:
        """Ends the wait of everybody who waits. Tickets taken from now on are for the next time."""
        self.changed.set()
        self.changed = asyncio.Event()

    def read(self, cursor: int, most_bytes: int) -> Page | None:
        """The events after the cursor, if the tail reaches back to it; None if only the log can tell."""
        if self.head is None or cursor < self._chunks[0].first - 1:
            return None
        chunks: list[Chunk] = []
        if cursor < self.head:
            # From the end, since that is where almost all cursors are.
            start = len(self._chunks)
            while start and self._chunks[start - 1].last > cursor:
                start -= 1
            size = 0
            for index in range(start, len(self._chunks)):
                chunk = self._chunks[index].after(cursor)
                chunks.append(chunk)
                size += len(chunk.frames)
                if size >= most_bytes:
                    break
        return Page(chunks, self.first, self.head, self.ended, self.fraction)


class Tails:
    """The tails of all jobs that are being watched."""

    def __init__(self) -> None:
        self._tails: dict[str, Tail] = {}
        self.closed = False

    @contextmanager
    def watching(self, job_id: str) -> Iterator[Tail]:
        """The job's tail, for as long as somebody watches."""
        tail = self._tails.setdefault(job_id, Tail())
        tail.watchers += 1
        try:
            yield tail
        finally:
            tail.watchers -= 1
            if tail.watchers == 0:
                del self._tails[job_id]

    def publish(self, commits: Sequence[Commit]) -> None:
        """Takes in what has become durable."""
        for commit in commits:
            tail = self._tails.get(commit.job_id)
            if tail is not None and commit.chunk.frames:
                tail.push(commit)

    def close(self) -> None:
        """Wakes everybody up to be told that the server is stopping."""
        self.closed = True
        for tail in self._tails.values():
            tail.wake()
