"""What a node has read of the stream and not passed on yet is bounded in bytes."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from milepost.server.log.event_log import DurableCommit, Entry
from milepost.server.log.jetstream.applier import AppliedMessage, DeliveredMessage
from milepost.server.log.jetstream.backlog import MESSAGE_COST, Backlog
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.ordered_consumer import OrderedConsumer
from milepost.server.log.jetstream.projection import Projection
from milepost.server.log.jetstream.stream import StreamNames, ensure_stream
from milepost.server.log.jetstream.write_faults import WriteFaults
from milepost.server.log.store_files import StoreFiles
from tests.support.commits import Author, put_in_turn
from tests.support.nats import NatsServer, administering
from tests.support.rpc import eventually

_COUNT = 50
_SIZE = 1 << 10
_ROOM = 8
"""Messages that fit into the backlog."""


async def test_a_consumer_with_a_full_backlog_delivers_nothing_until_there_is_room(
    nats_server: NatsServer,
) -> None:
    """It goes on where it was, after the message that filled the backlog, with none missing."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    backlog = Backlog(_ROOM * (_SIZE + MESSAGE_COST))
    delivered: list[bytes] = []

    def deliver(_: int, __: str, data: bytes) -> None:
        delivered.append(data)
        backlog.add(len(data))

    async def check(_: int) -> None: ...

    connection = NatsConnection(NatsAccess((nats_server.url,)), lambda _: None)
    await connection.open()
    await ensure_stream(connection, names, None)
    messages = [(b"%d" % number).ljust(_SIZE, b".") for number in range(_COUNT)]
    async with administering(nats_server.url) as publisher:
        for message in messages:
            await publisher.publish(names.job("j"), message)
    consumer = OrderedConsumer(connection, names, 0, deliver, check, WriteFaults(lambda: None), backlog)
    following = asyncio.create_task(consumer.run())

    async def is_full() -> bool:
        return backlog.is_full

    try:
        await eventually(is_full)
        await connection.client.flush()  # the server has sent what was requested
        held = list(delivered)
        while len(delivered) < _COUNT:
            await eventually(is_full)
            backlog.remove(_SIZE)
            await asyncio.sleep(0)
    finally:
        consumer.stop()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await connection.close()
    assert (held, delivered) == (messages[:_ROOM], messages)


async def test_a_backlog_is_full_by_its_bytes_and_what_messages_take_besides() -> None:
    """Whoever waits for room goes on as soon as it is below its bound again."""
    backlog = Backlog(2 * MESSAGE_COST)
    backlog.add(1)
    await backlog.wait_for_room()
    backlog.add(1)
    waiting = asyncio.create_task(backlog.wait_for_room())
    await asyncio.sleep(0)
    before = waiting.done()
    backlog.remove(1)
    await waiting
    assert (before, backlog.size) == (False, MESSAGE_COST + 1)


def test_a_transaction_takes_no_more_messages_than_its_bytes_allow(tmp_path: Path) -> None:
    """The message that reaches the bound is the last one."""
    groups: list[int] = []
    done = threading.Event()

    def deliver(applied: Sequence[AppliedMessage] | Exception) -> None:
        assert not isinstance(applied, Exception)
        groups.append(len(applied))
        if sum(groups) == 5:
            done.set()

    projection = Projection(tmp_path, StoreFiles(), deliver)
    for sequence in range(1, 6):
        projection.put(DeliveredMessage(sequence, b"", 2 << 20))
    projection.start()
    assert done.wait(120)
    projection.close()
    assert groups == [2, 2, 1]


async def test_commits_of_progress_that_another_node_made_are_passed_on_without_the_job(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    """A small message about a large job would else take as much as the job. Those of transitions have it."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")

    @asynccontextmanager
    async def node(name: str) -> AsyncIterator[JetStreamEventLog]:
        (tmp_path / name).mkdir()
        log = JetStreamEventLog(tmp_path / name, NatsAccess((nats_server.url,)), names)
        try:
            await log.start()
            yield log
        finally:
            await log.close()

    async with node("a") as writer, node("b") as follower:
        seen: list[tuple[bool, bool]] = []

        def listen(entries: Sequence[Entry]) -> None:
            seen.extend(
                (entry.commit.is_transition, bool(entry.commit.job))
                for entry in entries
                if isinstance(entry, DurableCommit)
            )

        follower.add_listener(listen)
        author = Author("j")
        await put_in_turn(
            writer, author.submit(), author.start(), author.stage("s"), author.progress(3), author.succeed()
        )

        async def has_all() -> bool:
            return len(seen) == 5

        await eventually(has_all)
    assert seen == [(True, True), (True, True), (False, False), (False, False), (True, True)]
