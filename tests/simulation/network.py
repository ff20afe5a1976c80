"""Streams and calls between nodes: delayed, cut anywhere, half-open for a while; never out of order.

A stream stands for a `Work` call of gRPC. At the worker's end it has the interface of a call of grpc.aio, at the
server's that of a handler's arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from types import SimpleNamespace
from typing import Any, Final, Protocol, TypeVar

import grpc
import grpc.aio

from milepost.client._transport.token_source import CallCredential, TokenSource
from milepost.contract.status_codes import STATUS
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.store_errors import refusal_of
from milepost.v1 import WorkRequest, WorkResponse
from tests.simulation.loop import NETWORK, VirtualLoop
from tests.simulation.pipes import Inbox, Pipe, delay
from tests.simulation.record import Record
from tests.simulation.server import SimulatedServer
from tests.support.responses import decoded

__all__ = ["Channel", "Lost", "Network", "Stream", "handed_over"]

# Seconds until gRPC's pings detect a dead peer.
_PINGS: Final = 8.0

_Response = TypeVar("_Response")


class Lost(Exception):
    """A call got no answer; it may have reached the server."""


class Cuttable(Protocol):
    """Not implemented for this kind of stream."""

    def cut(self, hears: float, /) -> None:
        """Cut the connection; its ends notice that after so many seconds."""


class Network:
    """The network of a run. ``server`` is the listening server; None while there is none."""

    def __init__(self, loop: VirtualLoop, seed: str, record: Record) -> None:
        self.loop = loop
        self.record = record
        self.server: SimulatedServer | None = None
        self.streams: list[Stream] = []
        self.watches: dict[Cuttable, None] = {}
        self.lossy = True
        self._seed = seed
        self._opened = 0

    def source(self) -> Random:
        """The random source of the next stream or call; each has its own, so that they are independent."""
        self._opened += 1
        return Random(f"{self._seed}/{self._opened}")

    def open(self, worker: str) -> Stream:
        """A worker's `Work` call."""
        stream = Stream(self, worker, self._opened + 1, self.source())
        self.streams.append(stream)
        return stream

    def end_all(self, source: Random) -> None:
        """The server is gone, and all its streams with it; their ends notice at once, or when their pings fail."""
        for stream in list(self.streams):
            stream.cut(source.choice((0.01, 0.01, _PINGS)), 0.0)
        for watch in list(self.watches):
            watch.cut(source.choice((0.01, 0.01, _PINGS)))

    async def call(
        self, method: Callable[[SimulatedServer], Awaitable[_Response]], timeout: float
    ) -> _Response:
        """Call the server. Raises Lost, or its refusal."""
        source = self.source()
        answer: asyncio.Future[_Response] = self.loop.create_future()
        lost = self.lossy and source.random() < 0.1

        def arrive() -> None:
            if self.server is None:
                _fail(answer, Lost("nobody listens"))
            elif not lost or source.random() < 0.5:
                self.server.node.leave(serve(self.server))

        async def serve(server: SimulatedServer) -> None:
            try:
                response = await method(server)
            except Exception as error:  # noqa: BLE001 - whatever it is goes to the caller
                self.loop.call_later(delay(source), _fail, answer, error, context=NETWORK)
            else:
                if not lost:
                    self.loop.call_later(delay(source), _settle, answer, response, context=NETWORK)

        self.loop.call_later(delay(source), arrive, context=NETWORK)
        self.loop.call_later(timeout, _fail, answer, Lost("no answer"), context=NETWORK)
        return await answer


class Stream:
    """One `Work` call. The worker uses ``read``, ``write``, ``done_writing`` and ``cancel``."""

    def __init__(self, network: Network, worker: str, number: int, source: Random) -> None:
        self.worker = worker
        self.number = number
        self._network = network
        self._loop = network.loop
        self._source = source
        self._up = Pipe(self._loop, source)
        self._down = Pipe(self._loop, source)
        self._answers = Inbox[WorkResponse]()
        self._requests = Inbox[WorkRequest]()
        self.size = 0
        self._serving: asyncio.Task[Any] | None = None
        self._ended = False
        # The number of messages before it breaks by itself.
        self._lasts = source.randint(0, 60) if network.lossy and source.random() < 0.5 else None
        self._up.send(self._accept)

    # The worker's end.

    async def write(self, request: WorkRequest) -> None:
        """See ``grpc.aio.StreamStreamCall``."""
        if self._answers.error is not None:
            raise self._answers.error
        await asyncio.sleep(0)
        self._network.record.said(self.worker, self.number, request)
        self._wear()
        self._up.send(self._requests.put, request)

    async def read(self) -> WorkResponse | object:
        """See ``grpc.aio.StreamStreamCall``."""
        response = await self._answers.get()
        if response is None:
            return grpc.aio.EOF
        self._network.record.heard(self.worker, self.number, response)
        return response

    async def done_writing(self) -> None:
        """See ``grpc.aio.StreamStreamCall``."""
        self._up.send(self._requests.end, None)

    def cancel(self) -> bool:
        """See ``grpc.aio.StreamStreamCall``."""
        if self._answers.error is None:
            self._answers.end(_status(grpc.StatusCode.CANCELLED, "cancelled here"))
            self._up.send(self._leave)
        return True

    # The server's end.

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> WorkRequest:
        """The worker's messages: the stream is the iterator for the handler."""
        request = await self._requests.get()
        if request is None:
            raise StopAsyncIteration
        self._network.record.took(self.number, request)
        self.size = request.ByteSize()
        return request

    async def respond(self, response: WorkResponse | JobResponse) -> None:
        """See ``grpc.aio.ServicerContext.write``."""
        message = decoded(response)
        self._network.record.answered(self.worker, self.number, message)
        self._wear()
        self._down.send(self._answers.put, message)
        await handed_over(self._loop)

    # Faults.

    def cut(self, worker_hears: float, server_hears: float) -> None:
        """Cut the stream; each side notices that after so many seconds."""
        self._up.deaf = self._down.deaf = True
        self._finish()
        lost = _status(grpc.StatusCode.UNAVAILABLE, "the connection was lost")
        self._loop.call_later(worker_hears, self._answers.end, lost, context=NETWORK)
        self._loop.call_later(server_hears, self._leave, context=NETWORK)

    def deafen(self, *, up: bool, seconds: float) -> None:
        """Lose all messages of one direction from now on; later the stream breaks."""
        pipe = self._up if up else self._down
        pipe.deaf = True
        hears = self._source.uniform(0.0, _PINGS)
        self._loop.call_later(seconds, self.cut, hears, _PINGS - hears, context=NETWORK)

    def _wear(self) -> None:
        """Break after a number of messages: before or after this one; at once, or one direction first."""
        if self._lasts is None:
            return
        self._lasts -= 1
        if self._lasts >= 0 or not self._network.lossy:
            return
        self._lasts = None
        source = self._source
        match source.randrange(4):
            case 0:
                self.cut(source.uniform(0.0, 1.0), source.uniform(0.0, 1.0))
            case 1:
                after = source.uniform(0.0, 0.2)
                self._loop.call_later(after, self.cut, 0.0, _PINGS, context=NETWORK)
            case 2:
                self.deafen(up=True, seconds=source.uniform(0.0, _PINGS))
            case _:
                self.deafen(up=False, seconds=source.uniform(0.0, _PINGS))

    def _accept(self) -> None:
        server = self._network.server
        if server is None or server.is_draining:
            refused = _status(grpc.StatusCode.UNAVAILABLE, "nobody listens")
            self._down.send(self._answers.end, refused)
            self._finish()
            return
        context: Any = SimpleNamespace(write=self.respond, peer=lambda: f"worker {self.worker}")
        self._serving = server.node.start(self._serve(server, context))

    async def _serve(self, server: SimulatedServer, context: Any) -> None:
        try:
            await server.workers.Work(self, context)
        except Exception as error:  # noqa: BLE001 - whatever it is becomes a status
            refusal = refusal_of(error)
            if refusal is None:
                self._loop.complaints.append(f"Work failed: {error!r}")
            code = grpc.StatusCode.INTERNAL if refusal is None else STATUS[refusal.reason]
            self._down.send(self._answers.end, _status(code, str(error)))
        else:
            self._down.send(self._answers.end, None)
        self._finish()

    def _leave(self) -> None:
        """Notify the server that the worker is gone."""
        if self._serving is not None:
            self._serving.cancel()
        self._finish()

    def _finish(self) -> None:
        if not self._ended:
            self._ended = True
            self._network.streams.remove(self)


class Channel:
    """The channel of a worker, with the interface of ``LazyChannel``."""

    def __init__(self, network: Network, worker: str) -> None:
        self.target = SimpleNamespace(address="server")
        self._network = network
        self._worker = worker

    def credential(self) -> CallCredential:
        """None: the simulated server takes everyone."""
        return CallCredential(TokenSource(""), lambda: None)

    def work(self) -> Any:
        """The service for workers."""
        return SimpleNamespace(Work=lambda metadata: self._network.open(self._worker))

    def track(self, call: Stream) -> Stream:
        """Nothing to do: no process forks."""
        return call

    def check_cancelled(self) -> None:
        """Nothing to do: it is never closed before its worker has ended."""

    async def close(self) -> None:
        """Nothing to do."""


def _status(code: grpc.StatusCode, details: str) -> grpc.aio.AioRpcError:
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(code, nothing, nothing, details)


async def handed_over(loop: asyncio.AbstractEventLoop) -> None:
    """Wait for a future after what was written is on its way, as grpc.aio does."""
    handed: asyncio.Future[None] = loop.create_future()
    loop.call_soon(_settle, handed, None, context=NETWORK)
    await handed


def _settle(answer: asyncio.Future[_Response], response: _Response) -> None:
    if not answer.done():
        answer.set_result(response)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
