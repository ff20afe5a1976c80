"""Publishing of commits to the stream: in order within a job, concurrently across jobs.

A job has at most one message in flight; appends that wait meanwhile go out together in the next one, coalesced if
possible. Each message names its predecessor on its subject (JetStream's ``Nats-Expected-Last-Subject-Sequence``). So if
two nodes decide on the same state of a job, only one of them can append. This also makes a retry safe when the
outcome of a message is unknown: at most one copy gets in, and the stream shows which message follows the predecessor.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.base.tracebacks import drop_tracebacks
from milepost.server.log.coalescing import coalesce
from milepost.server.log.event_log import Commit
from milepost.server.log.jetstream.applier import AppliedMessage, JobHead
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.records import (
    COMMITS_LIMIT,
    MESSAGE_BYTES_LIMIT,
    STRIDE,
    Kind,
    Record,
    encode,
    part_of,
)
from milepost.server.log.jetstream.stream import NO_ROOM, WRONG_LAST_SEQUENCE, StreamNames, message_at
from milepost.server.log.jetstream.write_faults import WriteFaults
from milepost.server.log.log_errors import Conflict, StoreError, StoreFailed, StoreFull, StoreUnavailable
from milepost.server.scheduling.callers import served_caller
from milepost.server.scheduling.prompt_future import PromptFuture

_logger = structlog.get_logger("milepost.store")

# In seconds: the time for an answer before a retry, the time for the whole append, and the backoff between retries.
_PUBLISH_TIMEOUT: Final = 2.0
APPEND_TIMEOUT: Final = 5.0
_RETRY_DELAY: Final = 0.05


class PublishedMessage:
    """A message of this node that the projection has not applied yet."""

    def __init__(self, record: Record, commits: list[Commit] | None) -> None:
        self.record = record
        self.commits = commits
        self.is_orphan = False
        """Whether the stream lacks the messages before it."""
        self.applied: asyncio.Future[AppliedMessage] = asyncio.get_running_loop().create_future()


class AppliedLog(Protocol):
    """The view of the applied log that publishers need."""

    async def head(self, job_id: str, caller: str) -> JobHead:
        """Return the end of the job's log, as far as this node has applied it; it is read in this caller's turn."""

    async def reached(self, sequence: int) -> None:
        """Wait until this node has applied that message of the stream."""

    def check_stream(self) -> None:
        """Check the stream soon: it lacks messages that this node has applied."""


class PendingWrite:
    """A queued write to a job's log; ``done`` resolves when it is durable and applied.

    It is either a commit or a drop. ``make`` creates the record of a drop when the drop reaches the head of the queue,
    or returns None if there is nothing to drop.
    """

    def __init__(
        self, commit: Commit | None, make: Callable[[JobHead], Awaitable[Record | None]] | None = None
    ) -> None:
        self.commit = commit
        self.make = make
        self.caller = served_caller()
        """The caller in whose turn its reads are done."""
        self.done: PromptFuture[None] = PromptFuture(loop=asyncio.get_running_loop())
        self.sequence = 0
        """The message of the stream that holds it; 0 until it is done, and if there was nothing to drop."""
        self.part = 0
        """Its part of that message."""
        self.breaks = 0
        """``NatsConnection.breaks`` at the time of ``put``."""
        self.plan_until = 0.0
        """The loop's time until which a drop that other nodes overtake is planned again; 0 before the first plan."""

    @property
    def by_timeout(self) -> bool:
        """See ``Commit``."""
        return self.commit is not None and self.commit.by_timeout

    def resolve(self, error: Exception | None = None) -> None:
        """Resolve ``done``, with an error if the write failed."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class JobPublishers:
    """The publishers of all jobs with pending writes. ``sent`` has, by name, the messages not yet applied."""

    def __init__(
        self, connection: NatsConnection, names: StreamNames, log: AppliedLog, faults: WriteFaults
    ) -> None:
        self.connection = connection
        self.names = names
        self.log = log
        self.faults = faults
        self.sent: dict[bytes, PublishedMessage] = {}
        self.failed = False
        # Refused callers retry within a second, so a fault has one line a minute in the log.
        self.failures = FaultLog(_logger, "write failed", logging.ERROR)
        self.refusals = FaultLog(_logger, "publish refused by the stream")
        self.timeouts = FaultLog(_logger, "append timed out")
        self.lost_timeouts = FaultLog(_logger, "timeout not appended", logging.INFO)
        self.purges = FaultLog(
            _logger, "the stream lacks a job's messages: somebody purged them", logging.ERROR
        )
        self._publishers: dict[str, _JobPublisher] = {}
        self._node = os.urandom(8)
        self._count = 0

    def put(self, job_id: str, write: PendingWrite) -> PromptFuture[None]:
        """Queue a write after the job's earlier ones; return its ``done``."""
        write.breaks = self.connection.breaks
        publisher = self._publishers.get(job_id)
        if publisher is None:
            publisher = self._publishers[job_id] = _JobPublisher(self, job_id)
        publisher.put(write)
        return write.done

    def name(self) -> bytes:
        """Return a unique message name."""
        self._count += 1
        return self._node + self._count.to_bytes(8, "big")

    def is_own(self, name: bytes) -> bool:
        """Whether this node has made that name, whatever became of the message."""
        return name.startswith(self._node)

    def remove(self, publisher: _JobPublisher, job_id: str) -> None:
        """Forget an idle publisher."""
        if self._publishers.get(job_id) is publisher:
            del self._publishers[job_id]

    def fail(self) -> None:
        """Stop for good: this node no longer reads the stream."""
        self.failed = True
        self.give_up("the node no longer follows the stream")

    def give_up(self, reason: str) -> None:
        """Forget the sent messages: their outcome is unknown. The node applies those that got in all the same."""
        sent = list(self.sent.values())
        self.sent.clear()
        for message in sent:
            if not message.applied.done():
                message.applied.set_exception(StoreUnavailable(reason))

    async def finish(self) -> None:
        """Wait until all writes are done."""
        while self._publishers:
            await asyncio.gather(*(publisher.wait_idle() for publisher in self._publishers.values()))


class _JobPublisher:
    """The write queue of one job; it lives while the job has pending writes.

    ``_head`` is the end of the job's log after all messages in flight; None if it must be read from the projection.
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
        """Wait for the current writes and messages."""
        if self._running is not None:
            await asyncio.wait([self._running])
        await self._wait_applied()

    async def _run(self) -> None:
        try:
            while self._writes:
                try:
                    await self._step()
                except StoreError as error:
                    self._refuse(error)
                except Exception as error:  # noqa: BLE001  # such as of a damaged row: no caller may wait for ever
                    self._publishers.failures.note(self._job_id, job_id=self._job_id, exc_info=error)
                    self._refuse(StoreUnavailable(f"the write failed: {error}"))
        finally:
            self._running = None
            self._remove_if_idle()

    def _refuse(self, error: Exception) -> None:
        """Refuse the queued writes, which were decided on top of the one that failed."""
        drop_tracebacks(error)  # which have the writes
        writes, self._writes, self._head = self._writes, deque(), None
        for write in writes:
            write.resolve(error)

    async def _step(self) -> None:
        """Publish the next message."""
        if self._publishers.failed:
            raise StoreFailed("the node no longer follows the stream")
        self._publishers.faults.check()
        if self._head is None:
            await self._wait_applied()
            self._head = await self._publishers.log.head(self._job_id, self._writes[0].caller)
        head = self._head
        make = self._writes[0].make
        if make is not None:
            # A drop is planned from the projection, which must be up to date.
            await self._wait_applied()
            self._head = None
            writes = [self._writes[0]]
            writes[0].plan_until = writes[0].plan_until or asyncio.get_running_loop().time() + APPEND_TIMEOUT
            made = await make(await self._publishers.log.head(self._job_id, writes[0].caller))
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
            if writes[0].by_timeout:
                sequence = await self._send_now(message, writes[0].breaks, head.sequence)
            else:
                sequence = await self._send(message, head.sequence)
        except BaseException as error:
            # If the message got in after all, the node applies it like one of another node.
            self._in_flight.discard(message)
            self._publishers.sent.pop(record.name, None)
            message.applied.cancel()  # which nobody resolves any more, and whose callback has the message
            if make is None or not isinstance(error, Conflict):
                raise
            # The job has changed meanwhile, as by a sweep of another node: the drop is planned again. Those that wait
            # behind it do not wait for ever, where another node appends all the time.
            if asyncio.get_running_loop().time() > writes[0].plan_until:
                raise StoreUnavailable("other nodes append to the job all the time") from None
            return
        for _ in writes:
            self._writes.popleft()
        if make is None:
            self._head = JobHead(sequence, last, head.key or sequence * STRIDE)

    def _next_writes(self, last: int) -> list[PendingWrite]:
        """Return the consecutive commits after event ``last`` that go into one message.

        A commit that a timeout caused goes alone.
        """
        next_writes: list[PendingWrite] = []
        size = 0
        for write in self._writes:
            commit = write.commit
            if commit is None or commit.chunk.first != last + 1 or len(next_writes) == COMMITS_LIMIT:
                break
            size += len(commit.chunk.frames)
            if next_writes and (size > MESSAGE_BYTES_LIMIT or write.by_timeout or next_writes[0].by_timeout):
                break
            next_writes.append(write)
            last = commit.chunk.last
        return next_writes

    async def _send(self, message: PublishedMessage, expected: int) -> int:
        """Publish the message after the ``expected`` one, with retries; return its sequence.

        Raises Conflict if another message follows that one, StoreFull, and StoreUnavailable if the outcome is unknown.
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
                            await self._raise_if_overtaken(message, expected)
                            if message.applied.done():
                                return message.applied.result().delivered.sequence
                        else:
                            self._publishers.refusals.note(reply.text, error=reply.text, code=reply.error)
                    except ConnectionLost:
                        if message.applied.done():
                            return message.applied.result().delivered.sequence
                        await connection.wait_up()
                    if self._publishers.faults:
                        raise StoreUnavailable("the stream cannot be written to")
                    # Another message may be in flight, or the stream may be electing a leader.
                    await asyncio.sleep(_RETRY_DELAY)
        except TimeoutError:
            self._publishers.timeouts.note(self._job_id, job_id=self._job_id, seconds=APPEND_TIMEOUT)
            raise StoreUnavailable("NATS did not answer in time") from None

    async def _send_now(self, message: PublishedMessage, breaks: int, expected: int) -> int:
        """Publish a commit that a timeout caused: once, and only on the connection that it was decided on."""
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
                    await self._raise_if_overtaken(message, expected)
            reason = reply.text
        except (ConnectionLost, TimeoutError) as error:
            reason = str(error) or "NATS did not answer in time"
        self._publishers.lost_timeouts.note(self._job_id, job_id=self._job_id, error=reason)
        raise StoreUnavailable(reason)

    async def _raise_if_overtaken(self, message: PublishedMessage, expected: int) -> None:
        """Raise Conflict if another message follows the ``expected`` one, after this node has applied it."""
        found = await message_at(self._publishers.connection, self._publishers.names, subject=self._subject)
        if found is not None and found[0] > expected:
            await self._publishers.log.reached(found[0])
            if not message.applied.done():
                raise Conflict(self._job_id)
        elif found is None and expected and not message.is_orphan:
            message.is_orphan = True
            self._publishers.purges.note(self._job_id, job_id=self._job_id)
            self._publishers.log.check_stream()

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
                    write.resolve(None if write.part < applied.result().accepted else Conflict(self._job_id))
        self._remove_if_idle()

    async def _wait_applied(self) -> None:
        while self._in_flight:
            await asyncio.wait([message.applied for message in self._in_flight])

    def _remove_if_idle(self) -> None:
        if self._running is None and not self._in_flight and not self._writes:
            self._publishers.remove(self, self._job_id)


def _coalesce(writes: list[PendingWrite]) -> list[Commit]:
    """Coalesce the commits into the parts of a message, and record in each write which part it is."""
    batches = coalesce([write.commit for write in writes if write.commit is not None])
    parts = [part for part, batch in enumerate(batches) for _ in batch.commits]
    for write, part in zip(writes, parts, strict=True):
        write.part = part
    return [batch.merged() for batch in batches]
