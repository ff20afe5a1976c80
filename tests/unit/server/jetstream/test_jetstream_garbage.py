"""What a request to NATS, or a write, held is free once that has failed, without the garbage collector."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from nats.js.errors import NotFoundError

from milepost.server.log.jetstream.job_publisher import PendingWrite
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import Conflict
from tests.support.commits import Author
from tests.support.instances import instances
from tests.support.jetstream_node import node
from tests.support.nats import NatsServer
from tests.support.rpc import eventually


async def test_a_question_that_is_answered_with_an_error(
    tmp_path: Path, nats_server: NatsServer, names: StreamNames, no_collector: None
) -> None:
    """As for the last message of a job that does not exist, which each claim of such a job asks for."""
    async with node(tmp_path, nats_server.url, names) as log:
        before = {id(each) for each in instances(NotFoundError)}
        await log.catch_up("missing")
        await eventually(partial(_are_free, NotFoundError, before))


async def test_a_write_that_another_node_has_overtaken(
    tmp_path: Path, nats_server: NatsServer, names: StreamNames, no_collector: None
) -> None:
    """It would keep its commit, with the whole job."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    async with (
        node(tmp_path / "a", nats_server.url, names) as a,
        node(tmp_path / "b", nats_server.url, names) as b,
    ):
        before = {id(each) for each in instances(PendingWrite)}
        appends = (log.append(Author("j", request_id=name).submit()) for log, name in ((a, "a"), (b, "b")))
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Conflict, type(None)}
        del appends, outcomes
        await a.catch_up("j")
        await b.catch_up("j")
        await eventually(partial(_are_free, PendingWrite, before))


async def _are_free(kind: type[object], before: set[int]) -> bool:
    return all(id(each) in before for each in instances(kind))
