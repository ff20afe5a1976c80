"""Subscribers of a job over streams that break; each stream resumes at the cursor."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from google.protobuf.duration_pb2 import Duration

from milepost.server.store_errors import refusal_of
from milepost.v1 import WatchJobRequest, WatchJobResponse
from tests.simulation.loop import NETWORK
from tests.simulation.network import Lost, Network, handed_over
from tests.simulation.pipes import Inbox, Pipe
from tests.simulation.server import SimulatedServer

__all__ = ["follow"]

_AGAIN = 0.5


async def follow(network: Network, job_id: str) -> None:
    """Follow the job to its end; add its events to the record."""
    seen = network.record.watch(job_id)
    ended = False
    while not ended:
        cursor = seen[-1].sequence if seen else 0
        request = WatchJobRequest(job_id=job_id, after_sequence=cursor, status_interval=Duration(seconds=10))
        watch = _Watch(network, request)
        try:
            while (response := await watch.frames.get()) is not None:
                seen.extend(response.events.events)
            ended = True
        except Lost:
            await asyncio.sleep(_AGAIN)


class _Watch:
    """One stream; ``frames`` yields what has arrived, and raises Lost if the stream broke."""

    def __init__(self, network: Network, request: WatchJobRequest) -> None:
        self.frames = Inbox[WatchJobResponse]()
        self._network = network
        self._request = request
        self._source = network.source()
        self._down = Pipe(network.loop, self._source)
        self._serving: asyncio.Task[Any] | None = None
        self._lasts = self._source.randint(1, 20) if network.lossy and self._source.random() < 0.5 else None
        Pipe(network.loop, self._source).send(self._accept)

    def cut(self, watcher_hears: float) -> None:
        """Cut the stream."""
        self._down.deaf = True
        if self._serving is not None:
            self._serving.cancel()
        self._network.watches.pop(self, None)
        self._network.loop.call_later(
            watcher_hears, self.frames.end, Lost("the connection was lost"), context=NETWORK
        )

    def _accept(self) -> None:
        server = self._network.server
        if server is None or server.is_draining:
            self.frames.end(Lost("nobody listens"))
        else:
            self._network.watches[self] = None
            self._serving = server.node.start(self._serve(server))

    async def _serve(self, server: SimulatedServer) -> None:
        context: Any = SimpleNamespace(peer=lambda: "watcher", write=self._write)
        try:
            await server.jobs.WatchJob(self._request, context)
        except Exception as error:  # noqa: BLE001 - whatever it is ends the stream
            if refusal_of(error) is None:
                self._network.loop.complaints.append(f"WatchJob failed: {error!r}")
            self._network.record.note(f"watch of {self._request.job_id} ended: {error}")
            self._down.send(self.frames.end, Lost(str(error)))
        else:
            self._down.send(self.frames.end, None)
        self._network.watches.pop(self, None)

    async def _write(self, frames: bytes) -> None:
        response = WatchJobResponse.FromString(frames)
        self._network.record.showed(self._request.job_id, response)
        self._down.send(self.frames.put, response)
        if self._lasts is not None:
            self._lasts -= 1
            if self._lasts == 0 and self._network.lossy:
                self.cut(self._source.uniform(0.0, 1.0))
        await handed_over(self._network.loop)
