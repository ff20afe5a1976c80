"""Submissions at two nodes at once: the order of the stream decides."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import Conflict
from tests.support.commits import Author
from tests.support.jetstream_node import node
from tests.support.nats import NatsServer


@pytest.mark.parametrize(
    "jobs",
    [("first", "second"), ("same", "same")],
    ids=["one request_id for two jobs", "one job_id for two requests"],
)
async def test_of_two_submissions_that_compete_one_is_taken(
    tmp_path: Path, nats_server: NatsServer, jobs: tuple[str, str]
) -> None:
    """The first in the stream counts; the other one gets a conflict, and every node has one job."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")
    requests = ("r", "r") if jobs[0] != jobs[1] else ("r", "other")
    for name in ("a", "b", "late"):
        (tmp_path / name).mkdir()
    async with (
        node(tmp_path / "a", nats_server.url, names) as a,
        node(tmp_path / "b", nats_server.url, names) as b,
    ):
        outcomes = await asyncio.gather(
            *(
                log.append(Author(job_id, request_id=request_id, owner="o").submit())
                for log, job_id, request_id in zip((a, b), jobs, requests, strict=True)
            ),
            return_exceptions=True,
        )
        (taken,) = [place for place, outcome in enumerate(outcomes) if outcome is None]
        assert [type(outcome) for outcome in outcomes if outcome is not None] == [Conflict]

        async with node(tmp_path / "late", nats_server.url, names) as late:
            for log in (a, b, late):
                await log.catch_up(jobs[1 - taken])
                assert await log.find_request("o", requests[taken]) == jobs[taken]
                assert [job.job_id for _, job in (await log.active()).jobs] == [jobs[taken]]
