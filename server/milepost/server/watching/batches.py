"""Batches: the next serialised response of a subscriber, shared by subscribers with the same request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from milepost.server.log.frames import CHUNK_BYTES, Chunk, watch_response
from milepost.server.watching.event_filters import FrameFilter
from milepost.server.watching.memory_budget import ENTRY_OVERHEAD

BATCH_BYTES: Final = CHUNK_BYTES
"""Limit of one batch in bytes, unless a single event is larger: some hundred events. gRPC keeps one batch for each
stream whose reader has stopped; larger batches make replays faster, and stalled subscribers cost more memory.
docs/performance.md has figures of both."""

SHARED_BATCHES_LIMIT: Final = 16
"""Batches that one tail or feed keeps for subscribers with the same request, at most."""

SHARED_BATCHES_BYTES: Final = 4 * BATCH_BYTES
"""Limit of these batches in bytes, unless a single batch is larger."""


class Batch(NamedTuple):
    """A serialised response with the events up to ``last``; empty if the filter hides all of them."""

    response: bytes
    last: int

    @property
    def size(self) -> int:
        """Bytes that it takes in a cache."""
        return len(self.response) + ENTRY_OVERHEAD


class BatchRequest(NamedTuple):
    """The key of a batch: subscribers with equal requests share it."""

    cursor: int
    max_events: int
    frame_filter: FrameFilter | None

    def batch(self, chunks: Sequence[Chunk]) -> Batch:
        """The batch of these chunks, the first of which holds the event after the cursor."""
        selected = self._bounded([chunks[0].after(self.cursor), *chunks[1:]])
        frames = [chunk.frames for chunk in selected]
        if self.frame_filter is not None:
            frames = [self.frame_filter(b"".join(frames))]
        return Batch(watch_response(frames), selected[-1].last)

    def batch_of_one(self, newest: Chunk) -> Batch | None:
        """Return the batch if it is exactly the newest chunk, as for a subscriber that has kept up; else None.

        It takes half the time of ``batch``.
        """
        cursor, max_events, frame_filter = self
        first, last, frames = newest
        if cursor + 1 != first or max_events or frame_filter is not None or len(frames) > BATCH_BYTES:
            return None
        return Batch(watch_response((frames,)), last)

    def _bounded(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """The chunks that fit into one batch. Only a commit that is too large by itself is split."""
        remaining, size = self.max_events, 0
        selected: list[Chunk] = []
        for chunk in chunks:
            if size and size + len(chunk.frames) > BATCH_BYTES:
                break
            part = chunk.first_bytes(BATCH_BYTES)
            if self.max_events:
                part = part.first_events(remaining)
                remaining -= part.last - part.first + 1
            selected.append(part)
            size += len(part.frames)
            if part is not chunk or (self.max_events and remaining <= 0):
                break
        return selected


class SharedBatches:
    """The batches of one tail or feed. ``size`` is the sum of theirs, in bytes."""

    __slots__ = ("_batches", "size")

    def __init__(self) -> None:
        self._batches: dict[BatchRequest, Batch] = {}
        self.size = 0

    def get(self, request: BatchRequest) -> Batch | None:
        """The batch of this request, if it is kept."""
        return self._batches.get(request)

    def put(self, request: BatchRequest, batch: Batch) -> None:
        """Keep a batch; evict the others where they would be too many or too large together."""
        replaced = self._batches.pop(request, None)
        if replaced is not None:
            self.size -= replaced.size
        if len(self._batches) >= SHARED_BATCHES_LIMIT or self.size + batch.size > SHARED_BATCHES_BYTES:
            self.clear()
        self._batches[request] = batch
        self.size += batch.size

    def clear(self) -> int:
        """Evict all of them; return their size."""
        freed, self.size = self.size, 0
        self._batches.clear()
        return freed
