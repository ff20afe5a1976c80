"""How commits get into the stream: each job's one after the other, those of different jobs side by side.

Of a job there is at most one message under way. What is appended meanwhile goes out together in the next one,
joined where it can be. Each message names the one of its subject that it must follow (JetStream's
``Nats-Expected-Last-Subject-Sequence``), so that of two nodes that decide upon the same state of a job only one can
append. For the same reason a message whose fate is not known can be sent again: at most one of them gets in, and which
message follows the named one can be read.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from milepost.server.log.event_log import Commit, Conflict, StoreFailed, StoreFull, StoreUnavailable
from milepost.server.log.jetstream.applier import AppliedMessage, JobHead
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.records import COMMITS_LIMIT, STRIDE, Kind, Record, encode, part_of
from milepost.server.log.jetstream.stream import NO_ROOM, WRONG_LAST_SEQUENCE, StreamNames, message_at
from milepost.server.log.sqlite.coalescing import coalesce

_log = structlog.get_logger("milepost.store")

# What goes into one message together, in bytes, if one commit alone is not more.
_MESSAGE_BYTES_LIMIT: Final = 512 << 10

# Seconds. How long an answer is waited for before the message is sent again; how long an append may take at the most;
# and between two tries.
_PUBLISH_TIMEOUT: Final = 2.0
APPEND_TIMEOUT: Final = 5.0
_RETRY_DELAY: Final = 0.05


class PublishedMessage:
    """A message of this node's, from when it is sent until it has come back out of the stream, applied."""

    def __init__(self, record: Record, commits: list[Commit] | None) -> None:
        self.record = record
        self.commits = commits
        self.applied: asyncio.Future[AppliedMessage] = asyncio.get_running_loop().create_future()


class AppliedLog(Protocol):
    """What lanes need to know of the log that they are a part of."""

    async def head(self, job_id: str) -> JobHead:
        """Where the job's log ends, as far as the node has applied it."""

    async def reached(self, sequence: int) -> None:
        """Returns once the node has applied that message of the stream."""


class PendingWrite:
    """Something to be put into a job's log; ``done`` when it is durable and applied.

    What drops something makes its record when its turn has come; None where there is nothing to drop.
    """

    def __init__(
        self, commit: Commit | None, make: Callable[[JobHead], Awaitable[Record | None]] | None = None
    ) -> None:
        loop = asyncio.get_running_loop()
        self.commit = commit
        self.make = make
        self.done: asyncio.Future[None] = loop.create_future()
        self.sequence = 0
        """Which message of the stream it came to be in; 0 before it is done, and where there was nothing to do."""
        self.part = 0
        """Which part of that message."""
        self.breaks = 0
        """``NatsConnection.breaks`` when it was put."""

    @property
    def by_time(self) -> bool:
        """See ``Commit``."""
        return self.commit is not None and self.commit.by_time

    def resolve(self, error: Exception | None = None) -> None:
        """It is durable, or was not appended."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class JobPublishers:
    """The lanes of all jobs that are being appended to. ``sent`` are the messages that have not come back yet."""

    def __init__(self, connection: NatsConnection, names: StreamNames, log: AppliedLog) -> None:
        self.connection = connection
        self.names = names
        self.log = log
        self.sent: dict[bytes, PublishedMessage] = {}
        self.failed = False
        self._publishers: dict[str, _JobPublisher] = {}
        self._node = os.urandom(8)
        self._count = 0

    def put(self, job_id: str, write: PendingWrite) -> asyncio.Future[None]:
        """Appends an item to the job's log, after those that were put before."""
        write.breaks = self.connection.breaks
        publisher = self._publishers.get(job_id)
        if publisher is None:
            publisher = self._publishers[job_id] = _JobPublisher(self, job_id)
        publisher.put(write)
        return write.done

    def name(self) -> bytes:
        """A name that no other message has."""
        self._count += 1
        return self._node + self._count.to_bytes(8, "big")

    def remove(self, publisher: _JobPublisher, job_id: str) -> None:
        """Nothing is under way in the lane any more."""
        if self._publishers.get(job_id) is publisher:
            del self._publishers[job_id]

    def fail(self) -> None:
        """Nothing more comes out of the stream here: none will be sent, nor is it known which of those sent got in."""
        self.failed = True
        for message in self.sent.values():
            if not message.applied.done():
                message.applied.set_exception(StoreUnavailable("the node follows the stream no more"))

    async def finish(self) -> None:
        """Waits until everything that was put is settled."""
        while self._publishers:
            await asyncio.gather(*(publisher.wait_idle() for publisher in self._publishers.values()))


class _JobPublisher:
    """What is appended to one job, for as long as something is under way.

    ``_head`` is where the job's log ends once all of that is applied; None where only the projection can tell.
    """

    def __init__(self, publishers: JobPublishers, job_id: str) -> None:
        self._publishers = publishers
        self._job_id = job_id
        self._subject = publishers.names.job(job_id)
        self._writes: deque[PendingWrite] = deque()
        self._in_flight: set[PublishedMessage] = set()
        self._head: JobHead | None = None
        self._running: asyncio.Task[None] | None = None

    def put(self, write: PendingWrite) -> None:
        self._writes.append(write)
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def wait_idle(self) -> None:
        """Waits for what is under way now."""
        if self._running is not None:
            await asyncio.wait([self._running])
        await self._all_applied()

    async def _run(self) -> None:
        try:
            while self._writes:
                try:
                    await self._step()
                except (Conflict, StoreFailed, StoreFull) as error:
                    # Whatever waits was decided upon what has not come to be.
                    writes, self._writes, self._head = self._writes, deque(), None
                    for write in writes:
                        write.resolve(error)
        finally:
            self._running = None
            self._remove_if_idle()

    async def _step(self) -> None:
        """Sends the next message."""
        if self._publishers.failed:
            raise StoreFailed("the node follows the stream no more")
        if self._head is None:
            await self._all_applied()
            self._head = await self._publishers.log.head(self._job_id)
        head = self._head
        make = self._writes[0].make
        if make is not None:
            # It is made from what the projection has, which must be all there is.
            await self._all_applied()
            self._head = None
            writes = [self._writes[0]]
            made = await make(await self._publishers.log.head(self._job_id))
            if made is None:
                self._writes.popleft().resolve()
                return
            record, commits, last = made, None, head.last
        else:
            writes = self._next_writes(head.last)
            if not writes:
                raise Conflict(self._job_id)
            commits = _coalesce(writes)
            parts = [part_of(commit) for commit in commits]
            record = Record(Kind.COMMITS, self._publishers.name(), head.key, parts)
            last = commits[-1].chunk.last
        message = PublishedMessage(record, commits)
        message.applied.add_done_callback(lambda applied: self._on_applied(message, writes, applied))
        self._publishers.sent[record.name] = message
        self._in_flight.add(message)
        try:
            if writes[0].by_time:
                sequence = await self._send_now(message, writes[0].breaks, head.sequence)
            else:
                sequence = await self._send(message, head.sequence)
        except BaseException:
            # Should it turn out to be there after all, it is taken in like one of another node's.
            self._in_flight.discard(message)
            self._publishers.sent.pop(record.name, None)
            raise
        for _ in writes:
            self._writes.popleft()
        if make is None:
            self._head = JobHead(sequence, last, head.key or sequence * STRIDE)

    def _next_writes(self, last: int) -> list[PendingWrite]:
        """The items that go out together: each follows upon the one before, the first upon event ``last``.

        What was decided by time goes alone.
        """
        next_writes: list[PendingWrite] = []
        size = 0
        for write in self._writes:
            commit = write.commit
            if commit is None or commit.chunk.first != last + 1 or len(next_writes) == COMMITS_LIMIT:
                break
            size += len(commit.chunk.frames)
            if next_writes and (size > _MESSAGE_BYTES_LIMIT or write.by_time or next_writes[0].by_time):
                break
            next_writes.append(write)
            last = commit.chunk.last
        return next_writes

    async def _send(self, message: PublishedMessage, expected: int) -> int:
        """Gets the message into the stream, after the ``expected`` one; its sequence there.

        Raises Conflict where another one follows that, StoreFull, or StoreAway where nothing is known in time.
        """
        connection = self._publishers.connection
        data = encode(message.record)
        try:
            async with asyncio.timeout(APPEND_TIMEOUT):
                while True:
                    try:
                        reply = await connection.publish(self._subject, data, expected, _PUBLISH_TIMEOUT)
                        if not reply.error:
                            return reply.sequence
                        if reply.error in NO_ROOM:
                            raise StoreFull(reply.text)
                        if reply.error in WRONG_LAST_SEQUENCE:
                            await self._check_overtaken(message, expected)
                            if message.applied.done():
                                return message.applied.result().delivered.sequence
                        else:
                            _log.warning("the stream takes nothing", error=reply.text, code=reply.error)
                    except ConnectionLost:
                        if message.applied.done():
                            return message.applied.result().delivered.sequence
                        await connection.wait_up()
                    # Another one may be on its way in, or the stream between two leaders.
                    await asyncio.sleep(_RETRY_DELAY)
        except TimeoutError:
            _log.warning("an append was given up", job_id=self._job_id, seconds=APPEND_TIMEOUT)
            raise StoreUnavailable("NATS did not answer in time") from None

    async def _send_now(self, message: PublishedMessage, breaks: int, expected: int) -> int:
        """The same for what was decided by time, which is sent once, and only over the connection of the decision."""
        connection = self._publishers.connection
        try:
            if connection.breaks != breaks:
                raise ConnectionLost("the connection broke before it was sent")
            async with asyncio.timeout(APPEND_TIMEOUT):
                reply = await connection.publish(
                    self._subject, encode(message.record), expected, _PUBLISH_TIMEOUT
                )
                if not reply.error:
                    return reply.sequence
                if reply.error in WRONG_LAST_SEQUENCE:
                    await self._check_overtaken(message, expected)
            reason = reply.text
        except (ConnectionLost, TimeoutError) as error:
            reason = str(error) or "NATS did not answer in time"
        _log.info("a decision of time came to nothing", job_id=self._job_id, error=reason)
        raise StoreUnavailable(reason)

    async def _check_overtaken(self, message: PublishedMessage, expected: int) -> None:
        """Raises Conflict where another message follows the ``expected`` one, once the node has applied that."""
        found = await message_at(self._publishers.connection, self._publishers.names, subject=self._subject)
        if found is not None and found[0] > expected:
            await self._publishers.log.reached(found[0])
            if not message.applied.done():
                raise Conflict(self._job_id)

    def _on_applied(
        self, message: PublishedMessage, writes: list[PendingWrite], applied: asyncio.Future[AppliedMessage]
    ) -> None:
        self._in_flight.discard(message)
        if not applied.cancelled():
            error = applied.exception()
            for write in writes:
                if isinstance(error, StoreUnavailable):
                    write.resolve(error)
                else:
                    write.sequence = applied.result().delivered.sequence
                    write.resolve(None if write.part < applied.result().taken else Conflict(self._job_id))
        self._remove_if_idle()

    async def _all_applied(self) -> None:
        while self._in_flight:
            await asyncio.wait([message.applied for message in self._in_flight])

    def _remove_if_idle(self) -> None:
        if self._running is None and not self._in_flight and not self._writes:
            self._publishers.remove(self, self._job_id)


def _coalesce(writes: list[PendingWrite]) -> list[Commit]:
    """The commits of these items as the parts of a message; each item is told which."""
    made = coalesce([write.commit for write in writes if write.commit is not None])
    parts = [part for part, batch in enumerate(made) for _ in batch.commits]
    for write, part in zip(writes, parts, strict=True):
        write.part = part
    return [batch.merged() for batch in made]
