"""The stream: its settings and their checks, its identity, and the detection of lost messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from milepost.server.log.jetstream import stream
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess, StreamRefused
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreFailed, StoreFull
from tests.support.commits import Author, put, read
from tests.support.nats import NatsServer
from tests.support.rpc import eventually

Nodes = Callable[..., Any]


@pytest.fixture
def node(tmp_path: Path, nats_server: NatsServer, names: StreamNames) -> Nodes:
    """Open a node on the test's stream; again the same one for the same name."""

    @asynccontextmanager
    async def opened(name: str = "a") -> AsyncIterator[JetStreamEventLog]:
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        log = JetStreamEventLog(directory, NatsAccess((nats_server.url,)), names)
        try:
            await log.start()
            yield log
        finally:
            await log.close()

    return opened


def right(names: StreamNames, **wrong: Any) -> api.StreamConfig:
    """The required settings, with changes."""
    settings = {
        "name": names.stream,
        "subjects": [names.jobs, names.meta],
        "discard": api.DiscardPolicy.NEW,
        "storage": api.StorageType.FILE,
        **wrong,
    }
    return api.StreamConfig(**settings)


# --- Settings -----------------------------------------------------------------------------------------------------


async def test_a_stream_is_made_that_keeps_what_it_acknowledges(
    node: Nodes, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """File storage, no expiry, and new messages refused when full."""
    async with node():
        config = (await jetstream.stream_info(names.stream)).config
    assert (
        config.storage,
        config.discard,
        config.retention,
    ) == (api.StorageType.FILE, api.DiscardPolicy.NEW, api.RetentionPolicy.LIMITS)
    assert (config.max_age, config.max_msgs, config.num_replicas, config.deny_delete) == (0, -1, 1, True)


@pytest.mark.parametrize("request_", ["stream_info", "get_msg"])
async def test_a_server_that_does_not_know_a_new_stream_yet_is_asked_again(
    node: Nodes, names: StreamNames, monkeypatch: pytest.MonkeyPatch, request_: str
) -> None:
    """In a cluster, a stream is created once a majority knows it; the server that is asked next may be another one."""
    answer = getattr(JetStreamContext, request_)
    unaware = iter([False, True] if request_ == "stream_info" else [True])

    async def ask(self: JetStreamContext, *args: Any, **options: Any) -> Any:
        if next(unaware, False):
            raise NotFoundError(code=404, err_code=10059, description="stream not found")
        return await answer(self, *args, **options)

    monkeypatch.setattr(JetStreamContext, request_, ask)
    async with node() as log:
        assert (log.up, next(unaware, None)) == (True, None)


async def test_a_stream_that_was_made_as_it_must_be_is_taken(
    node: Nodes, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Also with limits of its own."""
    await jetstream.add_stream(right(names, max_bytes=1 << 20))
    async with node() as log:
        author = Author("j")
        await put(log, author.submit())
        assert author.events == await read(log, "j")


@pytest.mark.parametrize(
    ("wrong", "result"),
    [
        ({"storage": api.StorageType.MEMORY}, "its storage is memory"),
        ({"discard": api.DiscardPolicy.OLD}, "it discards old messages"),
        ({"max_age": 3600.0}, "its messages expire"),
        ({"max_msgs_per_subject": 5}, "it limits the messages of a subject"),
        ({"retention": api.RetentionPolicy.WORK_QUEUE}, "its retention is"),
        ({"no_ack": True}, "it does not acknowledge"),
        ({"deny_purge": True}, "deny_purge"),
        ({"allow_rollup_hdrs": True}, "it can be rolled up"),
        ({"persist_mode": api.PersistMode.ASYNC}, "it acknowledges before it has written"),
    ],
    ids=str,
)
async def test_a_stream_that_could_lose_something_is_refused(
    node: Nodes, names: StreamNames, jetstream: JetStreamContext, wrong: dict[str, Any], result: str
) -> None:
    """The error says what is wrong, and what to do."""
    await jetstream.add_stream(right(names, **wrong))
    with pytest.raises(StreamRefused, match=result):
        async with node():
            pass


async def test_a_stream_of_other_subjects_is_refused(
    node: Nodes, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """It belongs to another application."""
    await jetstream.add_stream(right(names, subjects=[f"{names.stream}.>"]))
    with pytest.raises(StreamRefused, match="its subjects are"):
        async with node():
            pass


async def test_a_server_that_takes_small_messages_only_is_refused(tmp_path: Path, names: StreamNames) -> None:
    """A request may be larger than NATS's default limit."""
    with NatsServer(tmp_path, max_payload="1MB") as server:
        log = JetStreamEventLog(tmp_path, NatsAccess((server.url,)), names)
        with pytest.raises(StreamRefused, match="max_payload: 8MB"):
            await log.start()
        await log.close()


async def test_a_full_stream_refuses_and_goes_on(
    node: Nodes, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Refused appends are absent; with room again appends succeed."""
    await jetstream.add_stream(right(names, max_msgs=3))
    async with node() as log:
        author = Author("j")
        await put(log, author.submit())
        await put(log, author.start())
        lines = author.lines("a")
        with pytest.raises(StoreFull):
            await put(log, lines)
        assert author.events[:2] == await read(log, "j")
        await jetstream.update_stream(right(names, max_msgs=10, deny_delete=False))
        await put(log, lines)
        assert author.events == await read(log, "j")


# --- Whose it is --------------------------------------------------------------------------------------------------


async def test_nodes_that_make_the_stream_together_agree(node: Nodes) -> None:
    """On its epoch and its lease secret."""
    async with node("a") as a, node("b") as b, node("c") as c:
        assert len({log.epoch for log in (a, b, c)}) == 1
        assert len({log.lease_secret for log in (a, b, c)}) == 1


async def test_a_stream_that_was_recreated_has_another_epoch(
    node: Nodes, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """A node discards its projection of the old stream (rule 4)."""
    async with node() as log:
        epoch = log.epoch
        await put(log, Author("j").submit())
    await jetstream.delete_stream(names.stream)
    async with node() as log:
        assert epoch != log.epoch
        assert (log.position, await log.find("j")) == (0, None)


async def test_a_stream_that_lost_its_end_gets_another_epoch(
    node: Nodes, names: StreamNames, nats_server: NatsServer, tmp_path: Path
) -> None:
    """As after a restored backup: every node takes the new epoch, whatever it has read."""
    with NatsServer(tmp_path, "restored") as server:
        access = NatsAccess((server.url,))

        @asynccontextmanager
        async def opened(name: str) -> AsyncIterator[JetStreamEventLog]:
            (tmp_path / name).mkdir(exist_ok=True)
            log = JetStreamEventLog(tmp_path / name, access, names)
            try:
                await log.start()
                yield log
            finally:
                await log.close()

        author = Author("j")
        async with opened("behind") as log:
            epoch = log.epoch
            await put(log, author.submit())
        server.stop()
        backup = server.save(tmp_path / "backup")
        server.restart()
        async with opened("ahead") as log:
            await put(log, author.start())
        server.stop()
        server.put_back(backup)
        server.restart()
        async with opened("ahead") as log:
            assert epoch != log.epoch
            assert author.events[:1] == await read(log, "j")
            renewed = log.epoch
            await put(log, Author("k").submit())
        async with opened("behind") as log:
            assert renewed == log.epoch
            assert author.events[:1] == await read(log, "j")


async def test_a_leader_that_knows_of_an_older_end_only_is_not_believed(
    node: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new or former leader may lag behind: the messages exist, so the epoch stays."""
    author = Author("j")
    async with node() as log:
        epoch = log.epoch
        await put(log, author.submit())

    async def older(connection: NatsConnection, names: StreamNames) -> int:
        return 1

    monkeypatch.setattr(stream, "last_sequence", older)
    async with node() as log:
        await put(log, author.start())
        assert (epoch, author.events) == (log.epoch, await read(log, "j"))


async def test_a_stream_that_is_replaced_under_a_node_ends_it(
    node: Nodes, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Its subscribers hold cursors of lost messages, so the node must restart."""
    async with node() as log:
        await put(log, Author("j").submit())
        await jetstream.delete_stream(names.stream)
        await jetstream.add_stream(right(names))

        async def has_failed() -> bool:
            return bool(log.failed.done())

        await eventually(has_failed)
        with pytest.raises(StoreFailed):
            await log.append(Author("k").submit())


async def test_a_message_of_a_newer_milepost_ends_the_node(
    node: Nodes, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """It does not skip a message that it cannot decode."""
    async with node() as log:
        await jetstream.publish(names.job("j"), b"\xff" * 40)
        assert "is of version 255" in str(await log.failed)
