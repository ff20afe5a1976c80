"""Nodes that start on a damaged stream: they wait, create no epoch, and set older copies aside."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import nats
import pytest
import structlog
from nats.js import JetStreamContext

from milepost.server.log.database_lock import DatabaseInUse
from milepost.server.log.jetstream import epoch_holders, set_aside
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreFailed
from tests.support.commits import Author, put
from tests.support.nats import NatsServer
from tests.support.rpc import eventually
from tests.unit.server.jetstream.damage.streams import Harm, Node, delete, faults, made, purge, purge_identity


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
    """It creates no epoch, logs what is wrong and what to do, and leaves its projection unchanged."""
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
    """Start a node in the background."""
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
    """It does not recreate the deleted stream until that node is gone."""
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
    """Without a serving node nobody answers, and another listener causes a short delay only."""
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
    """The projections that were set aside."""
    return list(directory.glob("projection-*"))


async def test_a_copy_of_another_epoch_is_set_aside(
    node: Node,
    tmp_path: Path,
    names: StreamNames,
    jetstream: JetStreamContext,
    said: list[structlog.typing.EventDict],
) -> None:
    """With all its data, and a log line with the path; one without jobs is deleted."""
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
    """Beyond the limit the node refuses to start rather than delete one, and changes nothing."""
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


async def test_two_nodes_do_not_share_a_projection(
    node: Node, tmp_path: Path, nats_server: NatsServer, names: StreamNames
) -> None:
    """The second one says so."""
    async with node("a"):
        with pytest.raises(DatabaseInUse):
            made(tmp_path / "a", nats_server, names)
