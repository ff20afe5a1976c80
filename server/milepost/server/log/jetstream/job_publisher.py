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

from milepost.server.log.event_log import Commit, Conflict, StoreAway, StoreFailed, StoreFull
from milepost.server.log.jetstream.applier import Applied, Head
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.records import COMMITS_MOST, STRIDE, Kind, Record, encode, part_of
from milepost.server.log.jetstream.stream import NO_ROOM, WRONG_LAST_SEQUENCE, StreamNames, message_at
from milepost.server.log.sqlite.coalescing import runs

_log = structlog.get_logger("milepost.store")

# What goes into one message together, in bytes, if one commit alone is not more.
_TOGETHER: Final = 512 << 10

# Seconds. How long an answer is waited for before the message is sent again; how long an append may take at the most;
# and between two tries.
_ANSWER: Final = 2.0
PATIENCE: Final = 5.0
_RETRY: Final = 0.05


class Message:
    """A message of this node's, from when it is sent until it has come back out of the stream, applied."""

    def __init__(self, record: Record, commits: list[Commit] | None) -> None:
        self.record = record
        self.commits = commits
        self.applied: asyncio.Future[Applied] = asyncio.get_running_loop().create_future()


class Log(Protocol):
    """What lanes need to know of the log that they are a part of."""

    async def head(self, job_id: str) -> Head:
        """Where the job's log ends, as far as the node has applied it."""

    async def reached(self, sequence: int) -> None:
        """Returns once the node has applied that message of the stream."""


class Item:
    """Something to be put into a job's log; ``done`` when it is durable and applied.

    What drops something makes its record when its turn has come; None where there is nothing to drop.
    """

    def __init__(
        self, commit: Commit | None, make: Callable[[Head], Awaitable[Record | None]] | None = None
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

    def settle(self, error: Exception | None = None) -> None:
        """It is durable, or was not appended."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class JobPublishers:
    """The lanes of all jobs that are being appended to. ``sent`` are the messages that have not come back yet."""

    def __init__(self, link: NatsConnection, names: StreamNames, log: Log) -> None:
        self.link = link
        self.names = names
        self.log = log
        self.sent: dict[bytes, Message] = {}
        self.failed = False
        self._lanes: dict[str, _Lane] = {}
        self._node = os.urandom(8)
        self._count = 0

    def put(self, job_id: str, item: Item) -> asyncio.Future[None]:
        """Appends an item to the job's log, after those that were put before."""
        item.breaks = self.link.breaks
        lane = self._lanes.get(job_id)
        if lane is None:
            lane = self._lanes[job_id] = _Lane(self, job_id)
        lane.put(item)
        return item.done

    def name(self) -> bytes:
        """A name that no other message has."""
        self._count += 1
        return self._node + self._count.to_bytes(8, "big")

    def left(self, lane: _Lane, job_id: str) -> None:
        """Nothing is under way in the lane any more."""
        if self._lanes.get(job_id) is lane:
            del self._lanes[job_id]

    def fail(self) -> None:
        """Nothing more comes out of the stream here: none will be sent, nor is it known which of those sent got in."""
        self.failed = True
        for message in self.sent.values():
            if not message.applied.done():
                message.applied.set_exception(StoreAway("the node follows the stream no more"))

    async def finish(self) -> None:
        """Waits until everything that was put is settled."""
        while self._lanes:
            await asyncio.gather(*(lane.settled() for lane in self._lanes.values()))


class _Lane:
    """What is appended to one job, for as long as something is under way.

    ``_head`` is where the job's log ends once all of that is applied; None where only the projection can tell.
    """

    def __init__(self, lanes: JobPublishers, job_id: str) -> None:
        self._lanes = lanes
        self._job_id = job_id
        self._subject = lanes.names.job(job_id)
        self._items: deque[Item] = deque()
        self._under_way: set[Message] = set()
        self._head: Head | None = None
        self._running: asyncio.Task[None] | None = None

    def put(self, item: Item) -> None:
        self._items.append(item)
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def settled(self) -> None:
        """Waits for what is under way now."""
        if self._running is not None:
            await asyncio.wait([self._running])
        await self._all_applied()

    async def _run(self) -> None:
        try:
            while self._items:
                try:
                    await self._step()
                except (Conflict, StoreFailed, StoreFull) as error:
                    # Whatever waits was decided upon what has not come to be.
                    items, self._items, self._head = self._items, deque(), None
                    for item in items:
                        item.settle(error)
        finally:
            self._running = None
            self._leave()

    async def _step(self) -> None:
        """Sends the next message."""
        if self._lanes.failed:
            raise StoreFailed("the node follows the stream no more")
        if self._head is None:
            await self._all_applied()
            self._head = await self._lanes.log.head(self._job_id)
        head = self._head
        make = self._items[0].make
        if make is not None:
            # It is made from what the projection has, which must be all there is.
            await self._all_applied()
            self._head = None
            items = [self._items[0]]
            made = await make(await self._lanes.log.head(self._job_id))
            if made is None:
                self._items.popleft().settle()
                return
            record, commits, last = made, None, head.last
        else:
            items = self._together(head.last)
            if not items:
                raise Conflict(self._job_id)
            commits = _joined(items)
            parts = [part_of(commit) for commit in commits]
            record = Record(Kind.COMMITS, self._lanes.name(), head.key, parts)
            last = commits[-1].chunk.last
        message = Message(record, commits)
        message.applied.add_done_callback(lambda applied: self._on_applied(message, items, applied))
        self._lanes.sent[record.name] = message
        self._under_way.add(message)
        try:
            if items[0].by_time:
                sequence = await self._send_now(message, items[0].breaks, head.sequence)
            else:
                sequence = await self._send(message, head.sequence)
        except BaseException:
            # Should it turn out to be there after all, it is taken in like one of another node's.
            self._under_way.discard(message)
            self._lanes.sent.pop(record.name, None)
            raise
        for _ in items:
            self._items.popleft()
        if make is None:
            self._head = Head(sequence, last, head.key or sequence * STRIDE)

    def _together(self, last: int) -> list[Item]:
        """The items that go out together: each follows upon the one before, the first upon event ``last``.

        What was decided by time goes alone.
        """
        together: list[Item] = []
        size = 0
        for item in self._items:
            commit = item.commit
            if commit is None or commit.chunk.first != last + 1 or len(together) == COMMITS_MOST:
                break
            size += len(commit.chunk.frames)
            if together and (size > _TOGETHER or item.by_time or together[0].by_time):
                break
            together.append(item)
            last = commit.chunk.last
        return together

    async def _send(self, message: Message, expected: int) -> int:
        """Gets the message into the stream, after the ``expected`` one; its sequence there.

        Raises Conflict where another one follows that, StoreFull, or StoreAway where nothing is known in time.
        """
        link = self._lanes.link
        data = encode(message.record)
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        reply = await link.publish(self._subject, data, expected, _ANSWER)
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
                        await link.wait_up()
                    # Another one may be on its way in, or the stream between two leaders.
                    await asyncio.sleep(_RETRY)
        except TimeoutError:
            _log.warning("an append was given up", job_id=self._job_id, seconds=PATIENCE)
            raise StoreAway("NATS did not answer in time") from None

    async def _send_now(self, message: Message, breaks: int, expected: int) -> int:
        """The same for what was decided by time, which is sent once, and only over the connection of the decision."""
        link = self._lanes.link
        try:
            if link.breaks != breaks:
                raise ConnectionLost("the connection broke before it was sent")
            async with asyncio.timeout(PATIENCE):
                reply = await link.publish(self._subject, encode(message.record), expected, _ANSWER)
                if not reply.error:
                    return reply.sequence
                if reply.error in WRONG_LAST_SEQUENCE:
                    await self._check_overtaken(message, expected)
            why = reply.text
        except (ConnectionLost, TimeoutError) as error:
            why = str(error) or "NATS did not answer in time"
        _log.info("a decision of time came to nothing", job_id=self._job_id, error=why)
        raise StoreAway(why)

    async def _check_overtaken(self, message: Message, expected: int) -> None:
        """Raises Conflict where another message follows the ``expected`` one, once the node has applied that."""
        found = await message_at(self._lanes.link, self._lanes.names, subject=self._subject)
        if found is not None and found[0] > expected:
            await self._lanes.log.reached(found[0])
            if not message.applied.done():
                raise Conflict(self._job_id)

    def _on_applied(self, message: Message, items: list[Item], applied: asyncio.Future[Applied]) -> None:
        self._under_way.discard(message)
        if not applied.cancelled():
            error = applied.exception()
            for item in items:
                if isinstance(error, StoreAway):
                    item.settle(error)
                else:
                    item.sequence = applied.result().delivered.sequence
                    item.settle(None if item.part < applied.result().taken else Conflict(self._job_id))
        self._leave()

    async def _all_applied(self) -> None:
        while self._under_way:
            await asyncio.wait([message.applied for message in self._under_way])

    def _leave(self) -> None:
        if self._running is None and not self._under_way and not self._items:
            self._lanes.left(self, self._job_id)


def _joined(items: list[Item]) -> list[Commit]:
    """The commits of these items as the parts of a message; each item is told which."""
    made = runs([item.commit for item in items if item.commit is not None])
    parts = [part for part, run in enumerate(made) for _ in run.commits]
    for item, part in zip(items, parts, strict=True):
        item.part = part
    return [run.joined() for run in made]
