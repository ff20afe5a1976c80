"""What outside hands do to a stream: nodes refuse to write, say why, keep what they have, and recover if they can."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sqlite3
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import nats
import pytest
import structlog
from nats.js import JetStreamContext, api
from structlog.testing import capture_logs

from milepost.server.log.event_log import StoreFailed, StoreFull, StoreUnavailable, StreamUnusable
from milepost.server.log.jetstream import epoch_holders, follower, joining, projection, set_aside
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.node_presence import NoPeers
from milepost.server.store_errors import refusal_of
from milepost.v1 import ErrorReason
from tests.support.commits import Author, put, read
from tests.support.nats import NatsServer
from tests.support.rpc import eventually

Node = Callable[..., Any]
Harm = Callable[[JetStreamContext, StreamNames], Awaitable[object]]


@pytest.fixture
def names() -> StreamNames:
    """Names of a stream for this test."""
    return StreamNames(f"test-{uuid.uuid4().hex}")


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[structlog.typing.EventDict]]:
    """What is logged; checks come often."""
    monkeypatch.setattr(follower, "_CHECK_INTERVAL", 0.05)
    monkeypatch.setattr(follower, "_HEARTBEAT", 0.5)
    monkeypatch.setattr(joining, "_LOST_DELAY", 0.05)
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def node(tmp_path: Path, nats_server: NatsServer, names: StreamNames) -> Node:
    """Opens a node on the test's stream, which serves; the same one again where it has the same name."""

    @asynccontextmanager
    async def opened(name: str = "a", states: list[bool] | None = None) -> AsyncIterator[JetStreamEventLog]:
        log = made(tmp_path / name, nats_server, names, states)
        try:
            await log.start()
            await log.share_presence(NoPeers(), 1.0)
            yield log
        finally:
            await log.close()

    return opened


def made(
    directory: Path, server: NatsServer, names: StreamNames, states: list[bool] | None = None
) -> JetStreamEventLog:
    """A node that has not started."""
    directory.mkdir(exist_ok=True)
    on_state = (lambda up: None) if states is None else states.append
    return JetStreamEventLog(directory, NatsAccess((server.url,)), names, on_state=on_state)


@pytest.fixture
async def jetstream(nats_server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """The JetStream API, as an administrator uses it."""
    client = await nats.connect(nats_server.url)
    yield client.jetstream()
    await client.close()


async def purge(jetstream: JetStreamContext, names: StreamNames) -> None:
    """Purges the stream."""
    await jetstream.purge_stream(names.stream)


async def purge_identity(jetstream: JetStreamContext, names: StreamNames) -> None:
    """Deletes only the message that holds the epoch."""
    await jetstream.purge_stream(names.stream, subject=names.meta)


async def delete(jetstream: JetStreamContext, names: StreamNames) -> None:
    """Deletes the stream."""
    await jetstream.delete_stream(names.stream)


async def expire(jetstream: JetStreamContext, names: StreamNames) -> None:
    """Has messages expire after a day."""
    await change(jetstream, names, max_age=86_400)


async def change(jetstream: JetStreamContext, names: StreamNames, **settings: Any) -> None:
    """Changes settings of the stream."""
    config = (await jetstream.stream_info(names.stream)).config
    await jetstream.update_stream(config.evolve(**settings))


def faults(said: list[structlog.typing.EventDict]) -> list[str]:
    """What was said at the level of errors."""
    return [line["fault"] for line in said if line["log_level"] == "error" and "fault" in line]


# --- Under nodes that run -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        pytest.param(purge, "purged the stream", id="purged"),
        pytest.param(purge_identity, "deleted that message", id="identity deleted"),
        pytest.param(delete, "was deleted", id="deleted"),
        pytest.param(expire, "its messages expire", id="settings"),
    ],
)
async def test_a_stream_that_is_damaged_under_a_node(
    node: Node,
    names: StreamNames,
    jetstream: JetStreamContext,
    said: list[structlog.typing.EventDict],
    harm: Harm,
    told: str,
) -> None:
    """Writes are refused at once, to old and to new jobs; reads go on; it is said in the log and to health; no end."""
    states: list[bool] = []
    author = Author("j")
    async with node("a", states) as log:
        await put(log, author.submit(), author.start())
        await harm(jetstream, names)

        async def is_down() -> bool:
            return not log.up

        await eventually(is_down)
        for commit in (author.lines("a"), Author("k").submit()):
            with pytest.raises(StreamUnusable, match=told):
                await log.append(commit)
        refusal = refusal_of(StreamUnusable(told))
        assert refusal is not None
        assert (refusal.reason, refusal.retry_delay) == (ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, 5.0)
        assert author.events[:2] == await read(log, "j")
        assert await log.find("k") is None
        assert states[-2:] == [True, False]
        assert not log.failed.done()
        (fault,) = faults(said)
        assert told in fault


async def test_an_append_to_a_purged_stream_does_not_wait_for_the_next_check(
    node: Node, names: StreamNames, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the stream checked, and its own outcome is told."""
    monkeypatch.setattr(follower, "_CHECK_INTERVAL", 3600.0)
    async with node() as log:
        author = Author("j")
        await put(log, author.submit(), author.start())
        await purge(jetstream, names)
        with pytest.raises(StoreUnavailable):
            await log.append(author.lines("a"))
        assert not log.up


async def test_settings_that_are_right_again(
    node: Node, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """The node goes on by itself, and contact with others counts from then."""
    states: list[bool] = []
    async with node("a", states) as log:
        author = Author("j")
        await put(log, author.submit())
        await expire(jetstream, names)
        await eventually(lambda: is_up(log, up=False))
        breaks = log.connection.breaks
        await change(jetstream, names, max_age=0)
        await eventually(lambda: is_up(log))
        await put(log, author.start())
        assert author.events == await read(log, "j")
        assert states[-3:] == [True, False, True]
        assert log.connection.breaks > breaks


async def is_up(log: JetStreamEventLog, *, up: bool = True) -> bool:
    """Whether the node can write, or cannot."""
    return log.up == up


async def test_nobody_loses_a_lease_while_nobody_can_write(
    node: Node, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Rule 14: there is no contact for as long as writes are refused."""
    async with node() as log:
        peers = await log.share_presence(NoPeers(), 0.05)

        async def in_contact() -> bool:
            return peers.contact() is not None

        async def out_of_contact() -> bool:
            return peers.contact() is None

        await eventually(in_contact)
        await expire(jetstream, names)
        await eventually(lambda: is_up(log, up=False))
        assert peers.contact() is None
        await change(jetstream, names, max_age=0)
        await eventually(in_contact)


async def test_a_stream_that_is_filled_anew_under_a_node_ends_it(
    node: Node, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Also where it has as many messages as before: they are others."""
    async with node("a") as log:
        await put(log, Author("j").submit())
        await jetstream.delete_stream(names.stream)
        config = api.StreamConfig(
            name=names.stream, subjects=[names.jobs, names.meta], discard=api.DiscardPolicy.NEW
        )
        await jetstream.add_stream(config)
        for _ in range(20):
            await jetstream.publish(names.meta, b'{"epoch": "another", "lease_secret": "00"}')
        with pytest.raises(StoreFailed):
            raise await asyncio.wait_for(asyncio.shield(log.failed), 30)


async def test_a_consumer_that_is_deleted_is_made_again(
    node: Node, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Nothing is missed, and nobody is refused for it."""
    async with node() as log:
        author = Author("j")
        await put(log, author.submit())
        for consumer in await jetstream.consumers_info(names.stream):
            await jetstream.delete_consumer(names.stream, consumer.name)
        await put(log, author.start())
        assert author.events == await read(log, "j")
        assert not log.failed.done()


async def test_a_projection_that_another_process_has_locked(
    node: Node, tmp_path: Path, said: list[structlog.typing.EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes are refused, those under way too; then all that got into the stream is there."""
    monkeypatch.setattr(projection, "LOCK_WAIT", 20)
    async with node() as log:
        author, other = Author("j"), Author("k")
        await put(log, author.submit())
        with closing(sqlite3.connect(tmp_path / "a" / "projection.db", isolation_level=None)) as outside:
            outside.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await log.append(author.start())
            assert not log.up
            with pytest.raises(StreamUnusable, match="Another process has locked"):
                await log.append(other.submit())
            assert await read(log, "j") == author.events[:1]
            outside.execute("ROLLBACK")
        await eventually(lambda: is_up(log))
        await log.refresh("j")
        assert await read(log, "j") == author.events
        await put(log, author.lines("a"))
        assert len(faults(said)) == 1


async def test_a_node_may_end_while_its_projection_is_locked(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has not applied is in the stream."""
    monkeypatch.setattr(projection, "LOCK_WAIT", 20)
    author = Author("j")
    with contextlib.ExitStack() as stack:
        async with node() as log:
            await put(log, author.submit())
            outside = stack.enter_context(
                closing(sqlite3.connect(tmp_path / "a" / "projection.db", isolation_level=None))
            )
            outside.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await log.append(author.start())
    async with node() as log:
        assert author.events == await read(log, "j")


# --- At the start of a node -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [False, True], ids=["with a copy", "empty"])
@pytest.mark.parametrize("harm", [purge, purge_identity])
async def test_a_node_that_starts_on_a_purged_stream_waits(
    node: Node,
    tmp_path: Path,
    nats_server: NatsServer,
    names: StreamNames,
    jetstream: JetStreamContext,
    said: list[structlog.typing.EventDict],
    harm: Harm,
    empty: bool,
) -> None:
    """It makes no new epoch, says what is wrong and what to do, and leaves a copy that it has as it is."""
    async with node("a") as log:
        await put(log, Author("j").submit())
    await harm(jetstream, names)
    if empty:
        shutil.rmtree(tmp_path / "a")
    async with starting(tmp_path / "a", nats_server, names):

        async def has_said() -> bool:
            return any("purged" in fault for fault in faults(said))

        await eventually(has_said)
    info = await jetstream.stream_info(names.stream, subjects_filter=names.meta)
    assert not info.state.subjects
    if not empty:
        with closing(sqlite3.connect(tmp_path / "a" / "projection.db")) as copy:
            assert copy.execute("SELECT job_id FROM jobs").fetchall() == [("j",)]


@asynccontextmanager
async def starting(
    directory: Path, server: NatsServer, names: StreamNames
) -> AsyncIterator[asyncio.Task[None]]:
    """A node that starts, for as long as it does."""
    log = made(directory, server, names)
    start = asyncio.create_task(log.start())
    try:
        yield start
    finally:
        start.cancel()
        with suppress(asyncio.CancelledError):
            await start
        await log.close()


async def test_an_empty_node_makes_no_epoch_while_another_one_serves_a_copy(
    node: Node,
    tmp_path: Path,
    nats_server: NatsServer,
    names: StreamNames,
    jetstream: JetStreamContext,
    said: list[structlog.typing.EventDict],
) -> None:
    """It does not even create the stream that was deleted; it does once that node is gone."""
    async with contextlib.AsyncExitStack() as stack:
        async with node("a") as log:
            await put(log, Author("j").submit())
            await delete(jetstream, names)
            start = await stack.enter_async_context(starting(tmp_path / "b", nats_server, names))

            async def has_said() -> bool:
                return any(f"the epoch {log.epoch} up to position" in fault for fault in faults(said))

            await eventually(has_said)
            with pytest.raises(nats.js.errors.NotFoundError):
                await jetstream.stream_info(names.stream)
            assert await log.find("j") is not None
        await start


async def test_who_serves_a_stream_says_so(
    node: Node, names: StreamNames, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers for a stream that nobody serves, and a listener that is no node holds nothing up for good."""
    async with node() as log:
        await put(log, Author("j").submit())
        holder = await epoch_holders.find(log.connection, names.presence)
        assert holder == (socket.gethostname(), log.epoch, log.position)
        other = StreamNames(f"{names.stream}-other")
        assert await epoch_holders.find(log.connection, other.presence) is None
        monkeypatch.setattr(epoch_holders, "_TIMEOUT", 0.1)
        await log.connection.client.subscribe(other.presence)
        assert await epoch_holders.find(log.connection, other.presence) is None


def asides(directory: Path) -> list[Path]:
    """The copies that were set aside."""
    return list(directory.glob("projection-*"))


async def test_a_copy_of_another_epoch_is_set_aside(
    node: Node,
    tmp_path: Path,
    names: StreamNames,
    jetstream: JetStreamContext,
    said: list[structlog.typing.EventDict],
) -> None:
    """With all that was in it; the log says where it is; one without jobs is not kept."""
    async with node() as log:
        author = Author("j")
        await put(log, author.submit(), author.start())
        epoch = log.epoch
    for _ in range(2):
        await delete(jetstream, names)
        async with node() as log:
            assert log.epoch != epoch
            assert await log.find("j") is None
    (aside,) = asides(tmp_path / "a")
    (line,) = [line for line in said if line["event"] == "projection of another epoch set aside"]
    assert (line["path"], line["epoch"], line["log_level"]) == (str(aside), epoch, "error")
    with closing(sqlite3.connect(aside)) as copy:
        assert copy.execute("SELECT job_id, last_sequence FROM jobs").fetchall() == [("j", 2)]


async def test_copies_that_are_set_aside_have_a_bound(
    node: Node, tmp_path: Path, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Beyond it the node refuses to start rather than delete one, and touches nothing."""
    async with node() as log:
        await put(log, Author("j").submit())
    await delete(jetstream, names)
    for number in range(set_aside.LIMIT):
        (tmp_path / "a" / f"projection-{number}.db").touch()
    with pytest.raises(StoreFailed, match="5 projections set aside"):
        async with node():
            pass
    with closing(sqlite3.connect(tmp_path / "a" / "projection.db")) as copy:
        assert copy.execute("SELECT job_id FROM jobs").fetchall() == [("j",)]


# --- What NATS refuses ----------------------------------------------------------------------------------------------


async def test_an_account_that_has_reached_its_limit(tmp_path: Path, names: StreamNames) -> None:
    """Writes are refused as on a full disk; with room again they go on."""

    def account(size: str) -> str:
        users = "users: [{user: u, password: p}]"
        return f"accounts {{ A: {{ jetstream: {{ max_file: {size} }}, {users} }} }}\nno_auth_user: u"

    with NatsServer(tmp_path, extra=[account("1M")]) as server:
        log = made(tmp_path / "a", server, names)
        await log.start()
        author = Author("j")
        await put(log, author.submit(), author.start())

        async def fill() -> None:
            while True:
                await log.append(author.lines("x" * 60_000))

        with pytest.raises(StoreFull):
            await fill()
        kept = await read(log, "j")
        assert kept == author.events[: len(kept)]
        server.reload(account("100M"))
        late = Author("late")
        submission = late.submit()

        async def goes_on() -> bool:
            with suppress(StoreFull):
                await log.append(submission)
                return True
            return False

        await eventually(goes_on)
        assert late.events == await read(log, "late")
        await log.close()
