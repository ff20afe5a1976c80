"""Readers of the same text: what is live is encoded once, and one loop writes it to all of them.

A reader costs a write, and no look at anything else of its response. Whoever has no room leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from milepost.web.frame_records import EncodedFrame, is_shared
from milepost.web.stream_response import StreamResponse, WriteChunk

SHARING_READERS: Final = 16
"""Readers that share a write, at most: it takes a sixth of a millisecond."""


class LiveReader(Protocol):
    """A stream whose response has begun, and whose server writes chunks."""

    @property
    def response(self) -> StreamResponse:
        """Its response."""

    def move_to(self, cursor: int) -> None:
        """Set where to resume after what was written, unless that is further already."""


class LiveReaders:
    """Offers frames to several readers; see ``SharedOffers`` of ``milepost.server.watching``.

    ``encode`` makes the text of a frame.

    Attributes:
        sent_at: When they were last sent something, by the clock of the event loop.
    """

    def __init__(self, encode: Callable[[bytes], EncodedFrame]) -> None:
        self.sent_at = 0.0
        self._encode = encode
        self._loop = asyncio.get_running_loop()
        self._writes: dict[LiveReader, WriteChunk] = {}
        self._cursor: int | None = None

    def add(self, reader: LiveReader) -> None:
        """Write to this reader, too. It is where the others are."""
        write_chunk = reader.response.write_chunk
        assert write_chunk is not None
        reader.response.together = self
        self._writes[reader] = write_chunk

    def discard(self, reader: LiveReader) -> None:
        """Write to this reader no more."""
        if self._writes.pop(reader, None) is not None:
            reader.response.together = None
            if self._cursor is not None:
                reader.move_to(self._cursor)

    def offer(self, frame: bytes) -> Sequence[LiveReader] | None:
        """Write a frame of a few events; return the readers who had no room, and left. None if it is no such frame."""
        encoded = self._encode(frame) if is_shared(frame) else None
        if encoded is None or not encoded.http_chunk:
            return None
        chunk = encoded.http_chunk
        refused = []
        for reader, write_chunk in self._writes.items():
            try:
                if write_chunk(chunk):
                    continue
            except Exception:  # noqa: BLE001  # its task meets the same error when it writes
                pass
            refused.append(reader)
        for reader in refused:
            self.discard(reader)
        self._cursor = encoded.cursor
        self.sent_at = self._loop.time()
        return refused
