"""Copy a log into a stream: each message has its expected sequence."""

from __future__ import annotations

import gc
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from milepost.server.log.jetstream.import_from_sqlite import SqliteImport
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.nats_connection import NatsConnection, Reply
from milepost.server.log.jetstream.stream import StreamNames, ensure_stream
from milepost.server.log.log_errors import StoreFailed
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from tests.support.commits import Author, put_in_turn, read
from tests.support.nats import NatsServer


async def written(directory: Path, authors: Sequence[Author]) -> Path:
    """A database with alternating commits of these jobs, the first one with twice as many."""
    log = SqliteEventLog(directory)
    await log.start()
    for author in authors:
        await put_in_turn(log, author.submit(), author.start())
    first, *others = authors
    for number in range(20):
        for author in others:
            await put_in_turn(log, first.lines(str(number)), author.lines(str(number)))
    await log.close()
    return directory / "milepost.db"


@asynccontextmanager
async def connected(access: NatsAccess, names: StreamNames) -> AsyncIterator[NatsConnection]:
    """Connect to NATS, with an empty stream."""
    connection = NatsConnection(access, lambda up: None)
    await connection.open()
    try:
        await ensure_stream(connection, names, None)
        yield connection
    finally:
        await connection.close()


async def test_jobs_that_write_by_turns(tmp_path: Path, nats_server: NatsServer) -> None:
    """A message waits for its predecessor in the job, and later ones of other jobs do not overtake it."""
    authors = [Author(job_id) for job_id in "abc"]
    database = await written(tmp_path, authors)
    access, names = NatsAccess((nats_server.url,)), StreamNames(f"test-{uuid.uuid4().hex}")
    async with connected(access, names) as connection:
        copied = await SqliteImport(database, connection, names).run()

    assert (copied.jobs, copied.events) == (3, 6 + 80)
    directory = tmp_path / "node"
    directory.mkdir()
    node = JetStreamEventLog(directory, access, names)
    await node.start()
    for job_id, author in zip("abc", authors, strict=True):
        assert author.events == await read(node, job_id)
    await node.close()


async def test_runs_keep_their_order(tmp_path: Path, nats_server: NatsServer) -> None:
    """Those of jobs that were deleted or trimmed stay between those that ended before and after them."""
    source = SqliteEventLog(tmp_path)
    await source.start()
    for number, job_id in enumerate("abcdef"):
        author = Author(job_id)
        commits = author.submit(), author.start(), author.succeed()._replace(run=bytes([number]))
        await put_in_turn(source, *commits)
    await source.delete("b")
    await source.trim("d", 10)
    await source.delete("e")
    before = [stored.run for stored in await source.runs("", "k")]
    await source.close()
    access, names = NatsAccess((nats_server.url,)), StreamNames(f"test-{uuid.uuid4().hex}")
    async with connected(access, names) as connection:
        await SqliteImport(tmp_path / "milepost.db", connection, names).run()
    directory = tmp_path / "node"
    directory.mkdir()
    node = JetStreamEventLog(directory, access, names)
    await node.start()

    assert [stored.run for stored in await node.runs("", "k")] == before == [bytes([n]) for n in range(6)]
    await node.close()


async def test_a_failure_is_reported_once(
    tmp_path: Path,
    nats_server: NatsServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However many messages were in flight; no unretrieved exception is left."""
    database = await written(tmp_path, [Author(job_id) for job_id in "abc"])
    access, names = NatsAccess((nats_server.url,)), StreamNames(f"test-{uuid.uuid4().hex}")

    publish = NatsConnection.publish

    async def full(
        self: NatsConnection, subject: str, message: bytes, expected: int, timeout: float
    ) -> Reply:
        if subject == names.meta:
            return await publish(self, subject, message, expected, timeout)
        return Reply(0, 1, "there is no room")

    monkeypatch.setattr(NatsConnection, "publish", full)
    async with connected(access, names) as connection:
        with pytest.raises(StoreFailed, match="there is no room"):
            await SqliteImport(database, connection, names).run()
    gc.collect()

    assert caplog.messages == []
