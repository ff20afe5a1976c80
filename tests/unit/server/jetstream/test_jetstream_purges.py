"""Purges of dropped messages: what NATS does not answer, and what becomes of them when a node fails or stops."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import nats.errors
import pytest
from nats.js import JetStreamManager

from milepost.server.log.jetstream import drop_publisher
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_connection import Reply
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreFailed, StoreUnavailable
from tests.support.commits import Author, put
from tests.support.jetstream_node import node
from tests.support.nats import NatsServer
from tests.support.rpc import eventually


class _Purges:
    """The purges of the nodes of a test, which fail for as long as ``fails``, or hang until ``answers`` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drop_publisher, "_RETRY_DELAY", 0.05)
        self.fails = True
        self.hangs = False
        self.answers = asyncio.Event()
        self.tries = self.hanging = self.done = 0
        purge_stream = JetStreamManager.purge_stream

        async def purge(manager: JetStreamManager, *args: Any, **options: Any) -> bool:
            self.tries += 1
            if self.hangs:
                self.hanging += 1
                await self.answers.wait()
            if self.fails:
                raise nats.errors.Error("JetStream does not answer")
            self.done += 1
            return await purge_stream(manager, *args, **options)

        monkeypatch.setattr(JetStreamManager, "purge_stream", purge)


async def _delete(log: JetStreamEventLog, *job_ids: str) -> None:
    """Create jobs with two messages each, and delete them."""
    for job_id in job_ids:
        author = Author(job_id)
        await put(log, author.submit(), author.start())
        await put(log, author.succeed())
    await asyncio.gather(*map(log.delete, job_ids))


async def _messages(log: JetStreamEventLog, names: StreamNames) -> Mapping[str, int]:
    """The numbers of messages in the stream, by subject."""
    info = await log.connection.ask(
        lambda jetstream: jetstream.stream_info(names.stream, subjects_filter=names.jobs)
    )
    return info.state.subjects or {}


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_purge_that_fails_is_repeated(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, *, restarts: bool
) -> None:
    """Also by the node's next start: no later drop of a deleted job would remove the messages that are left of it."""
    names, purges = StreamNames(f"test-{uuid.uuid4().hex}"), _Purges(monkeypatch)

    async def is_repeated() -> bool:
        return purges.tries > 1

    async def is_purged() -> bool:
        """Whether only the record of the deletion is left."""
        return await _messages(log, names) == {names.job("j"): 1}

    async def is_noted() -> bool:
        with closing(sqlite3.connect(tmp_path / "projection.db")) as other:
            return other.execute("SELECT * FROM unpurged").fetchall() == []

    async with node(tmp_path, nats_server.url, names) as log:
        await _delete(log, "j")
        await eventually(is_repeated)
        assert not await is_purged()
        if not restarts:
            purges.fails = False
            await eventually(is_purged)
    purges.fails = False
    async with node(tmp_path, nats_server.url, names) as log:
        await eventually(is_purged)
        await eventually(is_noted)


@pytest.mark.parametrize("follows", [True, False])
async def test_no_purge_touches_the_stream_that_has_replaced_another(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, *, follows: bool
) -> None:
    """Also where the node has yet to notice that: the purge would remove the messages of another job with the id."""
    names, purges = StreamNames(f"test-{uuid.uuid4().hex}"), _Purges(monkeypatch)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    async with node(tmp_path / "old", nats_server.url, names) as old:
        await _delete(old, *(f"other{number}" for number in range(5)), "j")
        purging = old._drops._purging
        assert purging is not None
        if not follows:
            assert old._following is not None
            old._following.cancel()
        await old.connection.ask(lambda jetstream: jetstream.delete_stream(names.stream))
        async with node(tmp_path / "new", nats_server.url, names) as new:
            author = Author("j")
            await put(new, author.submit(), author.start())
            before = await _messages(new, names)
            purges.fails = False
            async with asyncio.timeout(120):
                await asyncio.wait([purging])

            assert (await _messages(new, names), purges.done) == (before, 0)
            await put(new, author.succeed())


async def test_a_node_that_has_failed_ends_its_purges(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went on with them after it had closed."""
    names, purges = StreamNames(f"test-{uuid.uuid4().hex}"), _Purges(monkeypatch)

    async def is_repeated() -> bool:
        return purges.tries > 1

    async with node(tmp_path, nats_server.url, names) as log:
        await _delete(log, "j")
        await eventually(is_repeated)
        log._fail(StoreFailed("replaced"))

    assert log._drops._purging is None


async def test_purges_run_side_by_side_and_keep_no_node_from_stopping(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that stops waits for them no longer than a moment. Its next start does the rest."""
    names, purges = StreamNames(f"test-{uuid.uuid4().hex}"), _Purges(monkeypatch)
    job_ids = [f"j{number}" for number in range(40)]

    async def are_hanging() -> bool:
        return purges.hanging == 32

    async def are_purged() -> bool:
        return await _messages(log, names) == {names.job(job_id): 1 for job_id in job_ids}

    async with node(tmp_path, nats_server.url, names) as log:
        await _delete(log, *job_ids)
        purges.hangs = True
        await eventually(are_hanging)
        async with asyncio.timeout(120):
            await log.close()
    purges.hangs = purges.fails = False
    purges.answers.set()
    async with node(tmp_path, nats_server.url, names) as log:
        await eventually(are_purged)


async def test_few_purges_wait_in_memory(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The projection has the others."""
    monkeypatch.setattr(drop_publisher, "_DUE_LIMIT", 3)
    names, purges = StreamNames(f"test-{uuid.uuid4().hex}"), _Purges(monkeypatch)
    purges.hangs = True
    job_ids = [f"j{number}" for number in range(8)]

    async def is_hanging() -> bool:
        return purges.hanging > 0

    async def are_purged() -> bool:
        return await _messages(log, names) == {names.job(job_id): 1 for job_id in job_ids}

    async with node(tmp_path, nats_server.url, names) as log:
        await _delete(log, job_ids[0])
        await eventually(is_hanging)
        await _delete(log, *job_ids[1:])
        assert len(log._drops._due) == 3
        purges.hangs = purges.fails = False
        purges.answers.set()
        await eventually(are_purged)


async def test_a_deletion_of_unknown_outcome_is_purged(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the stream, although its answer came too late for whoever waited for it."""
    names, author = StreamNames(f"test-{uuid.uuid4().hex}"), Author("j")
    late: list[asyncio.Task[Reply]] = []

    async def is_purged() -> bool:
        return await _messages(log, names) == {names.job("j"): 1}

    async with node(tmp_path, nats_server.url, names) as log:
        publish = log.connection.publish

        async def lose_answer(subject: str, data: bytes, expected: int, timeout: float) -> Reply:
            late.append(asyncio.create_task(publish(subject, data, expected, timeout)))
            raise StoreUnavailable("NATS did not answer in time")

        await put(log, author.submit(), author.start())
        await put(log, author.succeed())
        with monkeypatch.context() as lossy:
            lossy.setattr(log.connection, "publish", lose_answer)
            with pytest.raises(StoreUnavailable):
                await log.delete("j")
        await asyncio.gather(*late)
        await eventually(is_purged)
