"""Drops at two nodes at once, such as a deletion beside a sweep."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from milepost.server.log.jetstream import ordered_consumer
from milepost.server.log.jetstream.nats_connection import Reply
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import Conflict, StoreUnavailable
from tests.support.commits import Author, put
from tests.support.jetstream_node import node
from tests.support.nats import NatsServer
from tests.support.rpc import eventually

_JOBS = [f"j{number}" for number in range(20)]


async def test_a_deletion_succeeds_beside_a_sweep_of_another_node(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    """Whichever of the two comes first in the stream. A sweep may come too late: the job is gone then."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    async with (
        node(tmp_path / "a", nats_server.url, names) as a,
        node(tmp_path / "b", nats_server.url, names) as b,
    ):
        for job_id in _JOBS:
            author = Author(job_id)
            await put(a, author.submit(), author.start(), author.succeed())
            await b.catch_up(job_id)
        swept = [b.thin(job_id) for job_id in _JOBS]
        deleted = [a.delete(job_id) for job_id in _JOBS]
        outcomes = await asyncio.gather(*deleted, *swept, return_exceptions=True)

        assert outcomes[: len(_JOBS)] == [None] * len(_JOBS)
        assert {type(outcome) for outcome in outcomes} <= {type(None), Conflict}
        for job_id in _JOBS:
            await b.catch_up(job_id)
        assert [await b.find(job_id) for job_id in _JOBS] == [None] * len(_JOBS)


async def test_a_write_that_meets_damage_is_refused(tmp_path: Path, nats_server: NatsServer) -> None:
    """Whatever its error is, and what waits behind it: the writes of the job hung, and so did the node at its end."""
    names, author = StreamNames(f"test-{uuid.uuid4().hex}"), Author("j")
    async with node(tmp_path, nats_server.url, names) as log:
        await put(log, author.submit(), author.start(), author.succeed())
        with closing(sqlite3.connect(tmp_path / "projection.db")) as other:
            other.execute("UPDATE jobs SET job = x'0aff'")
            other.commit()
        async with asyncio.timeout(120):
            outcomes = await asyncio.gather(log.delete("j"), log.thin("j"), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2


async def test_a_drop_that_is_overtaken_all_the_time_ends(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is planned again for a while, and then refused: what waits behind it does not wait for ever."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    author, tries = Author("j"), 0
    async with (
        node(tmp_path / "a", nats_server.url, names) as a,
        node(tmp_path / "b", nats_server.url, names) as b,
    ):
        publish = a.connection.publish

        async def overtaken(subject: str, data: bytes, expected: int, timeout: float) -> Reply:
            nonlocal tries
            tries += 1
            if tries == 3:  # the while is over
                a._publishers._publishers["j"]._writes[0].plan_until = asyncio.get_running_loop().time()
            await put(b, author.lines("again"))
            return await publish(subject, data, expected, timeout)

        await put(b, author.submit(), author.start(), author.lines("first"))
        await a.catch_up("j")
        monkeypatch.setattr(a.connection, "publish", overtaken)
        outcomes = await asyncio.gather(a.trim("j", 3), a.revoke_shares("j"), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable, StoreUnavailable]
    assert tries == 3


async def test_a_node_that_stood_still_misses_no_deletion(
    tmp_path: Path, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that was paused: the deletion has arrived meanwhile, and the node reads it before it takes the
    silence for that of a lost consumer, since what is purged by then cannot be read from another one.
    """
    heartbeat = 0.1
    monkeypatch.setattr(ordered_consumer, "_HEARTBEAT", heartbeat)
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    for name in ("still", "other"):
        (tmp_path / name).mkdir()
    author = Author("j")

    async def delete_elsewhere() -> None:
        async with node(tmp_path / "other", nats_server.url, names) as other:
            await put(other, author.succeed())
            await other.delete("j")
        await asyncio.sleep(5 * heartbeat)

    async with node(tmp_path / "still", nats_server.url, names) as log:
        await put(log, author.submit(), author.start())
        elsewhere = threading.Thread(target=asyncio.run, args=(delete_elsewhere(),))
        elsewhere.start()
        elsewhere.join()  # no pass of this event loop meanwhile

        async def has_noticed() -> bool:
            return log.failed.done() or await log.find("j") is None

        await eventually(has_noticed)
        assert not log.failed.done()
