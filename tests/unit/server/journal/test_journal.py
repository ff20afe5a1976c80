"""The journal: each decision builds on the one before it, and nothing is visible before it is durable."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import Refusal
from milepost.server.dispatch.reports import PendingReport
from milepost.server.journal import Journal
from milepost.server.log.event_log import StoredJob
from milepost.server.log.log_errors import Conflict, StoreFull
from milepost.server.open_job import OpenJob
from milepost.v1 import Event, Job, JobState, Stage, SubmitJobRequest
from tests.support.clock import START, FakeClock
from tests.unit.server.core import Core
from tests.unit.server.states import log_line


def line(job: Job, now: int) -> list[Event]:
    """A decision that appends a log line."""
    return [decide.report(Fold(job), log_line(), now)]


@asynccontextmanager
async def opened_core(directory: Path, cache_bytes: int) -> AsyncIterator[Core]:
    """A core with a limited cache of jobs."""
    core = Core(directory, cache_bytes)
    yield core
    await core.close()


async def running(core: Core, job_id: str = "j") -> None:
    """A running job with two events."""
    await core.submit(job_id)
    await core.start(job_id)


async def test_a_decision_sees_those_before_it(core: Core) -> None:
    """Durable or not; each resolves when it and all earlier ones are durable."""
    await running(core)
    core.log.hold(3)
    acting = [asyncio.ensure_future(core.journal.commit("j", line)) for _ in range(3)]
    await core.log.holds(3)
    opened = await core.journal.open("j")
    assert (opened.job.last_sequence, opened.pending) == (5, 3)
    assert not any(task.done() for task in acting)

    core.log.let_go()
    await asyncio.gather(*acting)
    assert [event.sequence for event in await core.events()] == [1, 2, 3, 4, 5]
    assert opened.pending == 0


async def test_nothing_is_shown_before_it_is_durable(core: Core) -> None:
    """Readers read the log, not the decisions."""
    await running(core)
    core.log.hold(1)
    cancelling = asyncio.ensure_future(core.cancel(10))
    await core.log.holds(1)
    before = await core.journal.find("j")
    core.log.let_go()
    await cancelling
    after = await core.journal.find("j")

    assert [before.state, after.state] == [JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_CANCELLING]


async def test_a_decision_that_changes_nothing_waits_for_what_it_saw(core: Core) -> None:
    """It has an answer that no crash may take back."""
    await running(core)
    core.log.hold(2)
    first = asyncio.ensure_future(core.cancel(10))
    await core.log.holds(1)
    again = asyncio.ensure_future(core.cancel(10))
    await core.log.holds(2)
    assert not again.done()

    core.log.let_go()
    await asyncio.gather(first, again)
    assert [event.WhichOneof("payload") for event in await core.events(after=2)] == ["cancel_requested"]


async def test_a_refusal_waits_for_the_decision_it_rests_on(core: Core) -> None:
    """A worker gives up a job that has ended, so that answer must be durable."""
    await running(core)
    core.log.hold(3)
    ending = asyncio.ensure_future(core.cancel(0))
    await core.log.holds(1)
    token = core.token("j", 1)
    asking = [
        asyncio.ensure_future(core.reports.accept("j", token, 1, [log_line()])),
        asyncio.ensure_future(core.attempts.release("j", token)),
    ]
    await core.log.holds(3)
    assert not any(task.done() for task in asking)

    core.log.let_go()
    await ending
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [Refusal, Refusal] == [type(outcome) for outcome in outcomes]


async def test_a_failed_append_causes_no_refusal(core: Core) -> None:
    """The append of the end failed, so the job continues."""
    await running(core)
    core.log.errors.append(StoreFull("full"))
    token = core.token("j", 1)
    ending, reported = await asyncio.gather(
        core.cancel(0), core.reports.accept("j", token, 1, [log_line()]), return_exceptions=True
    )

    assert (StoreFull, PendingReport) == (type(ending), type(reported))
    assert isinstance(reported, PendingReport)
    await reported.durable
    assert [event.sequence for event in await core.events()] == [1, 2, 3]


async def test_failed_appends_are_forgotten(core: Core) -> None:
    """The next decision builds on the log."""
    await running(core)
    core.log.errors.append(StoreFull("full"))
    with pytest.raises(StoreFull):
        await core.journal.commit("j", line)
    await core.journal.commit("j", line)

    assert [event.sequence for event in await core.events()] == [1, 2, 3]


async def test_decisions_based_on_a_failed_append_are_made_again(core: Core) -> None:
    """A decision that builds on a failed append is neither lost nor kept unchanged."""
    await running(core)
    core.log.errors.extend([StoreFull("full"), None])
    failing, following = await asyncio.gather(
        core.journal.commit("j", line), core.journal.commit("j", line), return_exceptions=True
    )

    assert (StoreFull, OpenJob) == (type(failing), type(following))
    assert [event.sequence for event in await core.events()] == [1, 2, 3]


async def test_decisions_build_on_appends_of_other_nodes(core: Core) -> None:
    """Another node has the same log: the second one loads the job again, and decides again."""
    await running(core)
    other = Journal(core.log, core.clock)
    await other.commit("j", line)
    await core.journal.commit("j", line)
    await other.commit("j", line)
    assert [event.sequence for event in await core.events()] == [1, 2, 3, 4, 5]

    await other.commit(
        "j",
        partial(decide.cancel, reason="", requested_by="", grace_period=0),
    )
    with pytest.raises(Refusal):
        await core.attempts.release("j", core.tokens.token(await core.journal.find("j"), 1))
    assert (await core.journal.find("j")).state == JobState.JOB_STATE_CANCELLED


async def test_what_others_append_while_a_job_is_loaded_is_not_missed(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit would otherwise be missed, and a refusal is final."""
    await running(core)
    other = Journal(core.log, core.clock)
    core.log.add_listener(other.on_entries)
    load = core.log.load

    async def meanwhile(job_id: str, *, caller: str) -> StoredJob | None:
        stored = await load(job_id, caller=caller)
        monkeypatch.setattr(core.log, "load", load)
        await core.journal.commit("j", line)
        return stored

    monkeypatch.setattr(core.log, "load", meanwhile)

    assert (await other.open("j")).job.last_sequence == 3
    await core.journal.commit("j", line)
    assert (await other.open("j")).job.last_sequence == 4


async def test_a_log_in_which_others_are_always_first_is_given_up(core: Core) -> None:
    """The call fails after a number of retries."""
    await running(core)
    core.log.errors.extend(Conflict("j") for _ in range(1000))

    with pytest.raises(Conflict):
        await core.journal.commit("j", line)
    core.log.errors.clear()
    await core.journal.commit("j", line)


async def test_a_caller_who_goes_away_takes_nothing_back(core: Core) -> None:
    """The decision becomes durable all the same."""
    await running(core)
    core.log.hold(1)
    acting = asyncio.ensure_future(core.journal.commit("j", line))
    await core.log.holds(1)
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)
    core.log.let_go()
    await core.journal.commit("j", line)

    assert [event.sequence for event in await core.events()] == [1, 2, 3, 4]


async def test_time_never_runs_backwards_in_a_log(core: Core) -> None:
    """Even if the machine's clock does."""
    await running(core)
    slow = FakeClock()
    core.clock.advance(60)
    await core.journal.commit("j", line)
    assert slow.monotonic() == START
    await Journal(core.log, slow).commit("j", line)

    times = [event.time.ToNanoseconds() for event in await core.events()]
    assert sorted(times) == times


async def test_memory_is_bounded(tmp_path: Path) -> None:
    """In bytes, however many jobs are submitted or changed; those with pending appends stay."""
    limit = 3 * Fold().memory + Fold().memory // 2
    async with opened_core(tmp_path, limit) as core:
        await running(core)
        core.log.hold(1)
        acting = asyncio.ensure_future(core.journal.commit("j", line))
        await core.log.holds(1)
        opened = await core.journal.open("j")
        for number in range(20):
            await core.submit(f"j{number}")
            assert core.journal.cached_bytes <= limit
        assert opened is await core.journal.open("j")
        core.log.let_go()
        await acting
        kept = 0
        for number in reversed(range(20)):
            before = core.log.loads
            await core.journal.open(f"j{number}")
            kept += core.log.loads == before
            assert core.journal.cached_bytes <= limit

        assert 1 <= kept <= 3
        assert [event.sequence for event in await core.events()] == [1, 2, 3]


async def test_a_large_job_takes_the_place_of_small_ones(tmp_path: Path) -> None:
    """Its stages count; its input is not cached."""
    stages = [Stage(stage_id=f"{number}", title="t" * 200) for number in range(1000)]
    large = Fold(Job(stages=stages)).memory
    async with opened_core(tmp_path, 2 * large) as core:
        for number in range(20):
            await core.submit(f"j{number}", input={"text": "x" * 100_000})
        assert 20 * Fold().memory <= core.journal.cached_bytes <= 2 * 20 * Fold().memory

        for number in range(3):
            await core.submit(f"large{number}", stages=stages)
            assert large <= core.journal.cached_bytes <= 2 * large
        before = core.log.loads
        await core.journal.open("large2")
        assert before == core.log.loads
        await core.journal.open("j0")
        assert before + 1 == core.log.loads


@pytest.mark.parametrize("seed", range(5))
async def test_decisions_on_jobs_that_come_and_go_are_each_made_once(tmp_path: Path, seed: int) -> None:
    """A model: concurrent callers and another node decide on few jobs, with a cache of about one job."""
    order = random.Random(seed)
    async with opened_core(tmp_path, 1) as core:
        other = Journal(core.log, core.clock, 1)
        core.log.add_listener(other.on_entries)
        jobs = [f"j{number}" for number in range(4)]
        for job_id in jobs:
            await running(core, job_id)
        decided = Counter[str]()

        async def call(job_id: str, journal: Journal) -> None:
            await asyncio.sleep(order.random() / 100)
            await journal.commit(job_id, line)
            decided[job_id] += 1

        await asyncio.gather(
            *(call(order.choice(jobs), order.choice([core.journal, other])) for _ in range(120))
        )

        for job_id in jobs:
            sequences = [event.sequence for event in await core.events(job_id)]
            assert list(range(1, 3 + decided[job_id])) == sequences
            stored = await core.log.load(job_id)
            assert stored is not None
            opened = (await core.journal.open(job_id)).job
            assert stored.job == opened
        assert max(core.journal.cached_bytes, other.cached_bytes) <= 2 * Fold().memory


async def test_a_deleted_job_is_forgotten(core: Core) -> None:
    """Another job may get its id next."""
    await core.submit()
    await core.cancel(0)
    await core.log.delete("j")

    with pytest.raises(Refusal, match="JOB_NOT_FOUND"):
        await core.journal.commit("j", line)
    await core.submit(kind="other")
    assert (await core.journal.open("j")).job.kind == "other"


async def test_an_id_is_created_once(core: Core) -> None:
    """The first submission counts."""
    event = decide.submit(SubmitJobRequest(kind="k"), "j", 0)
    outcomes = await asyncio.gather(
        *(core.journal.create(Event.FromString(event.SerializeToString())) for _ in range(3)),
        return_exceptions=True,
    )

    assert [type(None), Conflict, Conflict] == [type(outcome) for outcome in outcomes]
