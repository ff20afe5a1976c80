"""Responses that are written to several calls of gRPC, whose streams get the same next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milepost.server.rpc.response_writer import ResponseWriter


class SharedWrites:
    """Offers responses to the writers of several calls; see ``SharedOffers`` of ``milepost.server.watching``."""

    __slots__ = ("_writers",)

    def __init__(self) -> None:
        self._writers: dict[ResponseWriter, None] = {}

    def add(self, writer: ResponseWriter) -> None:
        """Write to this call, too."""
        self._writers[writer] = None

    def discard(self, writer: ResponseWriter) -> None:
        """Write to this call no more."""
        self._writers.pop(writer, None)

    def offer(self, response: bytes) -> Sequence[ResponseWriter]:
        """Write a response; return the writers that are still busy with the last one, or have failed, and have left."""
        refused = [writer for writer in self._writers if not writer.offer(response)]
        for writer in refused:
            del self._writers[writer]
        return refused
