"""Drops at two nodes at once, such as a deletion beside a sweep."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

from milepost.server.log.event_log import Conflict
from milepost.server.log.jetstream.stream import StreamNames
from tests.support.commits import Author, put
from tests.support.nats import NatsServer
from tests.unit.server.test_jetstream_doubt import node

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
            await b.refresh(job_id)
        swept = [b.thin(job_id) for job_id in _JOBS]
        deleted = [a.delete(job_id) for job_id in _JOBS]
        outcomes = await asyncio.gather(*deleted, *swept, return_exceptions=True)

        assert outcomes[: len(_JOBS)] == [None] * len(_JOBS)
        assert {type(outcome) for outcome in outcomes} <= {type(None), Conflict}
        assert [await b.find(job_id) for job_id in _JOBS] == [None] * len(_JOBS)
