"""What ``/metrics`` says: the metrics of the server and of its process, in the text format of Prometheus."""

from __future__ import annotations

import asyncio
from typing import Final

from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

_encode, CONTENT_TYPE = choose_encoder("")


class Exposition:
    """The text of a collector's metrics, followed by those of the process."""

    def __init__(self, server: Collector) -> None:
        self._server: Final = CollectorRegistry()
        self._server.register(server)
        self._process: Final = CollectorRegistry()
        ProcessCollector(registry=self._process)

    async def read(self) -> bytes:
        """The text, as of now."""
        # In a thread, since it counts the open files, which may be many thousands.
        process = await asyncio.to_thread(_encode, self._process)
        return _encode(self._server) + process
