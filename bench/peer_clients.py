"""Minimal clients of Redis, etcd and NATS that write events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeAlias

import grpc.aio
import nats

from bench import work
from bench.processes import MeasurementFailed
from milepost.v1 import Update

__all__ = ["Client", "Connect", "Etcd", "Nats", "Redis"]


class Client(Protocol):
    """A connection to a server that stores events."""

    def encode(self, events: Sequence[Update]) -> bytes:
        """Encode a request that writes these events."""

    async def send(self, requests: Iterable[bytes]) -> None:
        """Send the requests; return when the server has acknowledged all their events."""


Connect: TypeAlias = Callable[[str, int, int, int], AbstractAsyncContextManager[Client]]
"""Connects to an address. The other arguments: the number of the connection, which writes a log of its own; the events
in each request; and the limit of requests in flight.
"""


class _Pipe:
    """A TCP connection with pipelined requests.

    The answers are counted, not parsed: ``acknowledgement`` occurs once for each accepted event, and ``failure``
    matches every other answer.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        acknowledgement: bytes,
        failure: re.Pattern[bytes],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._acknowledgement = acknowledgement
        self._failure = failure
        self._acknowledged = 0
        self._line = b""

    async def send(self, requests: Iterable[bytes], batch: int, window: int) -> None:
        """Send requests of ``batch`` events, up to ``window`` in flight; return when all are acknowledged."""
        sent = 0
        for request in requests:
            self._writer.write(request)
            await self._writer.drain()
            # Let the other connections send too; else each would fill its window at once.
            await asyncio.sleep(0)
            sent += batch
            await self._await_acknowledged(sent - (window - 1) * batch)
        await self._await_acknowledged(sent)

    async def _await_acknowledged(self, events: int) -> None:
        while self._acknowledged < events:
            read = await self._reader.read(1 << 16)
            if not read:
                raise MeasurementFailed("the server closed a connection")
            lines, _, self._line = (self._line + read).rpartition(b"\n")
            if failed := self._failure.search(lines):
                raise MeasurementFailed(f"an event was refused: {failed[0].decode(errors='replace')}")
            self._acknowledged += lines.count(self._acknowledgement)


class Redis:
    """XADD: one stream per connection, one entry per event; a request is a pipeline."""

    def __init__(self, pipe: _Pipe, stream: bytes, batch: int, window: int) -> None:
        self._pipe = pipe
        self._batch = batch
        self._window = window
        self._command = b"*5\r\n$4\r\nXADD\r\n%b$1\r\n*\r\n$5\r\nevent\r\n" % _bulk(stream)

    @classmethod
    @asynccontextmanager
    async def connect(cls, address: str, number: int, batch: int, window: int) -> AsyncIterator[Redis]:
        """See ``Connect``. Deletes the entries of earlier rounds, which Redis holds in memory."""
        stream = b"job-%d" % number
        async with _connection(address) as (reader, writer):
            writer.write(b"*2\r\n$3\r\nDEL\r\n%b" % _bulk(stream))
            await reader.readline()
            # The answer is the entry's id, as in "$15\r\n1764129407000-0\r\n".
            yield cls(_Pipe(reader, writer, b"$", re.compile(rb"-[A-Z].*")), stream, batch, window)

    def encode(self, events: Sequence[Update]) -> bytes:
        """See ``Client``."""
        return b"".join([self._command + _bulk(event.SerializeToString()) for event in events])

    async def send(self, requests: Iterable[bytes]) -> None:
        """See ``Client``."""
        await self._pipe.send(requests, self._batch, self._window)


def _bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


class Nats:
    """Publishes to JetStream: one stream per connection, one message per event."""

    def __init__(self, pipe: _Pipe, subject: bytes, inbox: bytes, batch: int, window: int) -> None:
        self._pipe = pipe
        self._batch = batch
        self._window = window
        self._command = b"PUB %b %b" % (subject, inbox)

    @classmethod
    @asynccontextmanager
    async def connect(cls, address: str, number: int, batch: int, window: int) -> AsyncIterator[Nats]:
        """See ``Connect``. Deletes the stream afterwards."""
        name = f"job-{number}"
        client = await nats.connect(address)
        streams = client.jetstream()
        await streams.add_stream(name=name, subjects=[name])
        inbox = client.new_inbox().encode()
        async with _connection(address.removeprefix("nats://")) as (reader, writer):
            writer.write(b'CONNECT {"verbose":false}\r\nSUB %b 1\r\nPING\r\n' % inbox)
            await reader.readuntil(b"PONG\r\n")
            # The answer is a message to the inbox with a payload such as {"stream":"job-0","seq":1}.
            pipe = _Pipe(reader, writer, b'"seq":', re.compile(rb'.*"error":.*|-ERR.*'))
            yield cls(pipe, name.encode(), inbox, batch, window)
        await streams.delete_stream(name)
        await client.close()

    def encode(self, events: Sequence[Update]) -> bytes:
        """See ``Client``."""
        payloads = [event.SerializeToString() for event in events]
        return b"".join([b"%b %d\r\n%b\r\n" % (self._command, len(each), each) for each in payloads])

    async def send(self, requests: Iterable[bytes]) -> None:
        """See ``Client``."""
        await self._pipe.send(requests, self._batch, self._window)


@asynccontextmanager
async def _connection(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


class Etcd:
    """Puts: one key per event; a request of several events is a transaction."""

    def __init__(self, channel: grpc.aio.Channel, number: int, batch: int, window: int) -> None:
        method = "Put" if batch == 1 else "Txn"
        self._call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            f"/etcdserverpb.KV/{method}"
        )
        self._number = number
        self._batch = batch
        self._window = window
        self._events = 0

    @classmethod
    @asynccontextmanager
    async def connect(cls, address: str, number: int, batch: int, window: int) -> AsyncIterator[Etcd]:
        """See ``Connect``."""
        async with work.connections(address, 1) as (channel,):
            yield cls(channel, number, batch, window)

    def encode(self, events: Sequence[Update]) -> bytes:
        """See ``Client``. The messages are PutRequest and TxnRequest.

        https://github.com/etcd-io/etcd/blob/v3.4.23/etcdserver/etcdserverpb/rpc.proto
        """
        puts = [self._put(event) for event in events]
        return puts[0] if self._batch == 1 else b"".join([_field(2, _field(2, put)) for put in puts])

    def _put(self, event: Update) -> bytes:
        self._events += 1
        return _field(1, b"job-%d/%d" % (self._number, self._events)) + _field(2, event.SerializeToString())

    async def send(self, requests: Iterable[bytes]) -> None:
        """See ``Client``."""
        remaining = iter(requests)

        async def call() -> None:
            for request in remaining:
                await self._call(request)

        await asyncio.gather(*(call() for _ in range(self._window)))


def _field(number: int, value: bytes) -> bytes:
    """Encode a length-delimited field of a protobuf message."""
    length, size = b"", len(value)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + value
