"""Damage to a stream under a running node: it refuses to write, says why, keeps its copy, and recovers if it can."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from nats.js import JetStreamContext, api

from milepost.server.log.jetstream import ordered_consumer, projection
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreFailed, StoreUnavailable, StreamUnusable
from milepost.server.log.node_presence import NoPeers
from milepost.server.store_errors import refusal_of
from milepost.v1 import ErrorReason
from tests.support.commits import Author, put, read
from tests.support.rpc import eventually
from tests.unit.server.jetstream.damage.streams import (
    Harm,
    Node,
    change,
    delete,
    expire,
    faults,
    is_up,
    purge,
    purge_identity,
)


@pytest.mark.parametrize(
    ("harm", "message"),
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
    message: str,
) -> None:
    """Writes are refused at once, also to new jobs; reads go on; log and health report it; the node does not end."""
    states: list[bool] = []
    author = Author("j")
    async with node("a", states) as log:
        await put(log, author.submit(), author.start())
        await harm(jetstream, names)

        async def is_down() -> bool:
            return not log.up

        await eventually(is_down)
        for commit in (author.lines("a"), Author("k").submit()):
            with pytest.raises(StreamUnusable, match=message):
                await log.append(commit)
        refusal = refusal_of(StreamUnusable(message))
        assert refusal is not None
        assert (refusal.reason, refusal.retry_delay) == (ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, 5.0)
        assert author.events[:2] == await read(log, "j")
        assert await log.load("k") is None
        assert states[-2:] == [True, False]
        assert not log.failed.done()
        (fault,) = faults(said)
        assert message in fault


async def test_an_append_to_a_purged_stream_does_not_wait_for_the_next_check(
    node: Node, names: StreamNames, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It triggers a check of the stream, and gets its outcome."""
    monkeypatch.setattr(ordered_consumer, "_CHECK_INTERVAL", 3600.0)
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
    """The node recovers by itself, and contact with the others counts from then on."""
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


async def test_nobody_loses_a_lease_while_nobody_can_write(
    node: Node, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Rule 14: there is no contact while writes are refused."""
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


async def test_a_stream_that_is_refilled_under_a_node_ends_the_node(
    node: Node, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """Also with as many messages as before, since they differ."""
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
            raise await asyncio.wait_for(asyncio.shield(log.failed), 120)


async def test_a_consumer_that_is_deleted_is_made_again(
    node: Node, names: StreamNames, jetstream: JetStreamContext
) -> None:
    """No message is missed, and no write is refused."""
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
    """Writes are refused, also those in flight; afterwards everything in the stream is applied."""
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
        await log.catch_up("j")
        assert await read(log, "j") == author.events
        await put(log, author.lines("a"))
        assert len(faults(said)) == 1


async def test_a_node_may_end_while_its_projection_is_locked(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream has the messages that it has not applied."""
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


async def test_a_damaged_job_does_not_fill_the_log(
    node: Node, tmp_path: Path, said: list[structlog.typing.EventDict]
) -> None:
    """Who writes to it is refused, and may try again each second; the others are written meanwhile."""
    async with node() as log:
        author, other = Author("j"), Author("k")
        await put(log, author.submit(), author.start(), author.succeed(), other.submit())
        with closing(sqlite3.connect(tmp_path / "a" / "projection.db")) as outside:
            outside.execute("UPDATE jobs SET job = x'0aff' WHERE job_id = 'j'")
            outside.commit()
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="the write failed"):
                await log.thin("j")
        await put(log, other.start())
    assert [line["job_id"] for line in said if line["event"] == "write failed"] == ["j"]
