"""A late node has the same state as the others, although the stream lacks the beginnings of jobs."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from milepost.contract.job_states import has_ended
from milepost.server.log.event_log import EventLog, Query
from milepost.server.log.jetstream.jetstream_log import JetStreamEventLog
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.log_errors import StoreFailed
from milepost.v1 import JobState
from tests.support.bad_requests import struct
from tests.support.commits import Author, events_of, put
from tests.support.nats import NatsServer
from tests.support.rpc import eventually

Nodes = Callable[[str], Any]


@pytest.fixture
def node(tmp_path: Path, nats_server: NatsServer) -> Nodes:
    """Open a node on the test's stream; again the same one for the same name."""
    names = StreamNames(f"test-{uuid.uuid4().hex}")

    @asynccontextmanager
    async def opened(name: str) -> AsyncIterator[JetStreamEventLog]:
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        log = JetStreamEventLog(directory, NatsAccess((nats_server.url,)), names)
        try:
            await log.start()
            yield log
        finally:
            await log.close()

    return opened


async def known(log: EventLog) -> dict[str, Any]:
    """The whole state of the log's jobs."""
    dropped: dict[str, Any] = {"dropped": await log.dropped(Query()), "position": log.position}
    listed = await log.query(Query(limit=1000, newest_first=False))
    dropped["keys"] = [key for key, _ in listed.jobs]
    for _, job in listed.jobs:
        page = await log.read(job.job_id, job.first_sequence - 1, 1 << 30)
        stored = await log.load(job.job_id)
        assert page is not None
        assert stored is not None
        dropped[job.job_id] = (
            job,
            events_of(page.chunks),
            (page.first, page.thinned, page.head, has_ended(page.job), page.job.fraction),
            (stored.report_sequence, stored.time),
            await log.children_summary(job.job_id),
            await log.identify(job.job_id),
        )
    dropped["ended"] = [(ended.key, ended.end_time) for ended in await log.ended((0, 0), 1000)]
    return dropped


async def messages(log: JetStreamEventLog, names: StreamNames) -> int:
    """The number of messages in the stream."""
    info = await log.connection.ask(lambda jetstream: jetstream.stream_info(names.stream))
    return int(info.state.messages)


async def test_what_was_trimmed_is_not_in_the_stream_any_more(node: Nodes) -> None:
    """Trimming bounds the storage in NATS, too."""
    async with node("a") as log:
        author = Author("j")
        for commit in (author.submit(), author.start(), *(author.lines(str(n)) for n in range(20))):
            await put(log, commit)
        before = await messages(log, log._names)
        await log.trim("j", 15)

        async def is_purged() -> bool:
            # Fourteen commits less, and the message of the trim.
            return await messages(log, log._names) == before - 13

        await eventually(is_purged)
        await put(log, author.succeed())
        await log.delete("j")

        async def is_gone() -> bool:
            return await messages(log, log._names) == 2  # the identity, and the deletion of the job

        await eventually(is_gone)


@pytest.mark.parametrize("first_sequence", [2, 3, 4, 5, 6, 100])
async def test_a_late_node_knows_a_job_that_was_trimmed(node: Nodes, first_sequence: int) -> None:
    """With its request and its input, and everything that follows."""
    async with node("a") as log:
        author = Author("j", request_id="r", labels={"x": "1"}, input=struct({"path": "/x"}))
        for commit in (author.submit(), author.start(), author.lines("a", "b"), author.lines("c")):
            await put(log, commit)
        await log.trim("j", first_sequence)
        async with node("late") as late:
            assert await known(log) == await known(late)
            assert await late.find_request("", "r") == "j"
            await put(late, author.lines("d"))
            await log.catch_up("j")
            await put(log, author.succeed())
            await late.catch_up("j")
            assert await known(log) == await known(late)


@pytest.mark.parametrize("first_sequence", [1, 4])
async def test_a_late_node_knows_that_shares_were_revoked(node: Nodes, first_sequence: int) -> None:
    """Although a trim has purged the message that said so."""
    async with node("a") as log:
        author = Author("j")
        await put(log, author.submit(), author.start())
        await log.revoke_shares("j")
        for text in ("a", "b", "c"):
            await put(log, author.lines(text))
        await log.trim("j", first_sequence)
        async with node("late") as late:
            found = await late.identify("j")
            assert found is not None
            assert found.share_generation == 1
            assert await known(log) == await known(late)


async def test_a_node_that_was_away_knows_what_was_trimmed_meanwhile(node: Nodes) -> None:
    """Although it had an older state of the job."""
    async with node("a") as log:
        author = Author("j", labels={"x": "1"})
        await put(log, author.submit())
        async with node("away") as away:
            assert (await known(away))["j"][0].job_id == "j"
        for commit in (author.start(), author.lines("a"), author.lines("b"), author.lines("c")):
            await put(log, commit)
        await log.trim("j", 5)
        await log.close()
    async with node("a") as log, node("away") as away:
        assert await known(log) == await known(away)


async def test_a_node_that_was_away_knows_what_was_deleted_meanwhile(node: Nodes) -> None:
    """And of a new job with the same id."""
    async with node("a") as log:
        author = Author("j")
        await put(log, author.submit())
        async with node("away"):
            pass
        await put(log, author.start(), author.succeed())
        await log.delete("j")
        await put(log, Author("j", owner="o").submit())
    async with node("a") as log, node("away") as away:
        assert await known(log) == await known(away)
        assert (await known(away))["j"][0].owner == "o"


async def test_a_stream_that_somebody_else_purged_is_refused(
    node: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The missing messages are unknown; the error says what happened."""
    monkeypatch.setattr("milepost.server.log.jetstream.jetstream_log._PENDING_TIMEOUT", 0.1)
    async with node("a") as log:
        author = Author("j")
        for commit in (author.submit(), author.start(), author.lines("a")):
            await put(log, commit)
        names = log._names
        await log.connection.ask(lambda js: js.purge_stream(names.stream, subject=names.job("j"), keep=1))
        with pytest.raises(StoreFailed, match="purged by somebody else"):
            async with node("late"):
                pass


class Happenings:
    """What may happen to five jobs.

    The names of those that are deleted are given again, but not those of parents: to whom a child is counted that
    outlives its parent, and finds another job of its name, is not said.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.authors: dict[str, Author] = {}
        self._parents: set[str] = set()
        self._gone: set[str] = set()

    async def one(self, log: JetStreamEventLog) -> None:
        """A random write, through a node that has caught up with the job."""
        chance = self.chance
        job_id = f"j{chance.randrange(5)}"
        if job_id in self._gone:
            return
        await log.catch_up(job_id)
        author = self.authors.get(job_id)
        if author is None:
            await self._submit(log, job_id)
            return
        running, over = author.job.state == JobState.JOB_STATE_RUNNING, author.job.state > 3
        match chance.choice(["go on"] * 3 + ["trim", "thin", "delete"]):
            case "go on" if not over:
                if not running:
                    await put(log, author.start(), author.stage("s"))
                elif chance.random() < 0.2:
                    await put(log, author.succeed())
                else:
                    amount = author.job.stages[0].current + 0.5
                    await put(log, author.progress(amount, amount + 0.1), author.lines("x"))
            case "trim":
                await log.trim(job_id, chance.randint(1, author.job.last_sequence + 1))
            case "thin" if over:
                await log.thin(job_id)
            case "delete" if over:
                await log.delete(job_id)
                del self.authors[job_id]
                if job_id in self._parents:
                    self._gone.add(job_id)

    async def _submit(self, log: JetStreamEventLog, job_id: str) -> None:
        chance = self.chance
        living = [each for each in self.authors if self.authors[each].job.state in (1, 2)]
        request = {"request_id": f"r-{uuid.uuid4().hex}"}
        if living and chance.random() < 0.7:
            request["parent_job_id"] = chance.choice(living)
            self._parents.add(request["parent_job_id"])
        author = self.authors[job_id] = Author(job_id, **request)
        rest = [author.submit]
        if chance.random() < 0.5:
            rest += [author.start, lambda: author.stage("s")]
        await put(log, *(make() for make in rest))


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(6, 500))]
)
async def test_a_late_node_knows_what_all_others_know(node: Nodes, seed: int) -> None:
    """After any history: parents and children, thinned, trimmed and deleted, in any order."""
    happenings = Happenings(seed)
    chance = happenings.chance
    async with node("a") as log, node("b") as other:
        for _ in range(60):
            await happenings.one(chance.choice([log, other]))
            if chance.random() < 0.03:
                async with node("now and then"):
                    pass
        nodes = (log, other)
        await asyncio.gather(*(each.catch_up(f"j{number}") for number in range(5) for each in nodes))
        expected = await known(log)
        assert await known(other) == expected
        for name in ("now and then", "late"):
            async with node(name) as late:
                assert await known(late) == expected
