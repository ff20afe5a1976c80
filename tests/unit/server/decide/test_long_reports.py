"""Reports that take long to decide: others go first in between, and nobody sees that they were sliced."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from milepost.contract.reasons import reason_name
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import Refusal, job_ended
from milepost.server.dispatch.reports import Acceptance, Reports
from milepost.server.log.coalescing import COMMIT_BYTES_LIMIT
from milepost.server.log.event_log import Commit, StoredJob
from milepost.server.log.log_errors import Conflict
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import SLICE_STEPS, finish
from milepost.v1 import Job, JobState, Stage, StageProgressed, StageStarted, Update
from tests.support.rpc import eventually, log_line
from tests.unit.server.core import Core

DEPTH = 200


@pytest.fixture
def slices(core: Core) -> Slices:
    """Those of the core's reports."""
    slices = Slices()
    core.reports = Reports(core.journal, core.tokens, slices)
    return slices


async def deep(core: Core) -> str:
    """A job whose innermost stage runs below many others, and its lease token."""
    chain = [
        Stage(stage_id=f"s{number}", parent_stage_id=f"s{number - 1}" if number else "", total=1000)
        for number in range(DEPTH)
    ]
    await core.submit(stages=chain)
    token = await core.start()
    await core.report(token, *(Update(stage_started=StageStarted(stage=stage)) for stage in chain[-2:]))
    return token


def moves(count: int) -> list[Update]:
    """Progress of the two innermost stages in turn, which is costly."""
    return [
        Update(stage_progressed=StageProgressed(stage_id=f"s{DEPTH - 1 - number % 2}", current=number + 1))
        for number in range(count)
    ]


async def long_report(core: Core, token: str, *, first: int = 3, atomic: bool = False) -> Acceptance:
    """A report of many slices, made durable."""
    pending = await core.reports.accept("j", token, first, moves(200), atomic=atomic)
    return await pending.durable


@pytest.mark.parametrize("atomic", [False, True])
async def test_others_are_served_while_a_long_report_is_decided(
    core: Core, slices: Slices, *, atomic: bool
) -> None:
    """Whole submissions come and go between its slices."""
    token = await deep(core)
    reporting = asyncio.create_task(long_report(core, token, atomic=atomic))
    submitted = 0
    while not reporting.done():
        await core.submit(f"other{submitted}")
        submitted += 1

    assert (await reporting).report_sequence == 202
    assert submitted >= 2
    assert slices.count >= 10
    assert len(await core.events()) == 2 + 2 + 200


@pytest.mark.parametrize("atomic", [False, True])
async def test_reports_of_a_job_keep_their_order(core: Core, slices: Slices, *, atomic: bool) -> None:
    """Reports that come while a long one is decided are decided after it, in their order; so is all else."""
    token = await deep(core)
    reporting = asyncio.create_task(long_report(core, token, atomic=atomic))
    await asyncio.sleep(0)
    following = [
        asyncio.create_task(core.reports.accept("j", token, 203 + number, [log_line(f"{number}")]))
        for number in range(3)
    ]
    await asyncio.sleep(0)
    cancelling = asyncio.create_task(core.cancel(10))
    for number, pending in enumerate(following):
        assert (await (await pending).durable).report_sequence == 203 + number
    await cancelling
    await reporting

    names = [event.WhichOneof("payload") for event in (await core.events())[4:]]
    assert names == ["stage_progressed"] * 200 + ["log_written"] * 3 + ["cancel_requested"]


@pytest.mark.parametrize("atomic", [False, True])
async def test_what_comes_together_with_a_long_report_is_decided_after_it(
    core: Core, slices: Slices, *, atomic: bool
) -> None:
    """A cancellation in the pass of the event loop in which a report begins is neither lost nor overtakes it."""
    token = await deep(core)
    accepted, _ = await asyncio.gather(long_report(core, token, atomic=atomic), core.cancel(10))

    names = [event.WhichOneof("payload") for event in (await core.events())[4:]]
    assert names == ["stage_progressed"] * 200 + ["cancel_requested"]
    assert accepted.last_sequence == 204
    assert (await core.journal.find("j")).state == JobState.JOB_STATE_CANCELLING


@pytest.mark.parametrize("atomic", [False, True])
async def test_what_waits_behind_two_long_reports_is_decided_after_both(
    core: Core, slices: Slices, *, atomic: bool
) -> None:
    """The second one, which has waited for the first, has the job to itself in turn."""
    token = await deep(core)
    reporting = asyncio.create_task(long_report(core, token, atomic=atomic))
    await asyncio.sleep(0)
    following = asyncio.create_task(long_report(core, token, first=203, atomic=atomic))
    await asyncio.sleep(0)
    await asyncio.gather(reporting, following, core.cancel(10))

    names = [event.WhichOneof("payload") for event in (await core.events())[4:]]
    assert names == ["stage_progressed"] * 400 + ["cancel_requested"]


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_long_report_that_comes_twice_at_once_is_accepted_once(
    core: Core, slices: Slices, *, atomic: bool
) -> None:
    """Both calls get the same answer, and the job is not reserved after them."""
    token = await deep(core)
    accepted, again = await asyncio.gather(*(long_report(core, token, atomic=atomic) for _ in range(2)))

    assert (accepted.report_sequence, again) == (202, accepted)
    assert len(await core.events()) == 4 + 200
    await eventually(lambda: _is_free(core))


async def test_a_long_report_that_begins_while_another_call_loads_the_job_goes_first(
    core: Core, slices: Slices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes with the loaded job then waits as if it had not had to load it."""
    token = await deep(core)
    for _ in range(2):
        finish(core.journal.evict_idle())
    load = core.log.load
    reports: list[asyncio.Task[Acceptance]] = []

    async def meanwhile(job_id: str, *, caller: str) -> StoredJob | None:
        stored = await load(job_id, caller=caller)
        monkeypatch.setattr(core.log, "load", load)
        reports.append(asyncio.create_task(long_report(core, token)))
        await eventually(lambda: _is_reserved(core))
        return stored

    monkeypatch.setattr(core.log, "load", meanwhile)
    await core.cancel(10)
    assert (await reports[0]).report_sequence == 202

    names = [event.WhichOneof("payload") for event in (await core.events())[4:]]
    assert names == ["stage_progressed"] * 200 + ["cancel_requested"]


async def test_a_long_report_is_accepted_as_a_whole_or_not_at_all(core: Core, slices: Slices) -> None:
    """With ``atomic`` nothing of it is appended before all of it is decided, and nothing if an update is refused."""
    token = await deep(core)
    before = await core.events()
    bad = [*moves(100), Update(stage_progressed=StageProgressed(stage_id="nowhere"))]
    with pytest.raises(Refusal) as refused:
        await core.reports.accept("j", token, 3, bad, atomic=True)

    assert refused.value.metadata["field"].startswith("updates[100].")
    assert slices.count >= 5
    assert await core.events() == before
    assert (await long_report(core, token, atomic=True)).report_sequence == 202


async def test_a_refused_report_waits_for_the_one_that_is_being_decided(
    core: Core, slices: Slices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal rests on durable events: to wait for these it appends nothing within another report."""
    token = await deep(core)
    append, chunks = core.log.append, list[tuple[int, int]]()

    def noting(commit: Commit) -> PromptFuture[None]:
        chunks.append((commit.chunk.first, commit.chunk.last))
        return append(commit)

    monkeypatch.setattr(core.log, "append", noting)
    core.log.hold(1_000)
    await core.reports.accept("j", token, 3, moves(1))
    bad = [*moves(200), Update(stage_progressed=StageProgressed(stage_id="nowhere"))]
    refused = asyncio.create_task(core.reports.accept("j", token, 4, bad, atomic=True))
    await asyncio.sleep(0)
    accepted = asyncio.create_task(core.reports.accept("j", token, 4, moves(3000)))
    await eventually(lambda: _is_done(accepted))
    core.log.let_go()
    assert (await accepted.result().durable).report_sequence == 3003
    await asyncio.wait([refused])
    expected = 5
    for first, last in chunks:
        assert first == expected
        expected = last + 1


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_caller_that_leaves_does_not_cut_a_report(
    core: Core, slices: Slices, *, atomic: bool
) -> None:
    """A decision that has begun is brought to its end, and the job goes on after it."""
    token = await deep(core)
    reporting = asyncio.create_task(long_report(core, token, atomic=atomic))
    await eventually(lambda: _has_begun(slices))
    reporting.cancel()
    pending = await core.reports.accept("j", token, 203, [log_line("after")])

    assert (await pending.durable).report_sequence == 203
    assert [event.sequence for event in await core.events()] == list(range(1, 2 + 2 + 200 + 1 + 1))


async def test_a_long_report_that_meets_a_conflict_is_decided_again(core: Core, slices: Slices) -> None:
    """Deciding stops at the first conflict, and the report is decided again before later ones."""
    token = await deep(core)
    core.log.errors.append(Conflict("j"))
    reporting = asyncio.create_task(long_report(core, token))
    await asyncio.sleep(0)
    following = asyncio.create_task(core.reports.accept("j", token, 203, [log_line("after")]))

    assert (await reporting).report_sequence == 202
    assert (await (await following).durable).report_sequence == 203
    assert [event.sequence for event in await core.events()] == list(range(1, 2 + 2 + 200 + 1 + 1))


async def test_a_stale_lease_is_refused_before_any_slice(core: Core, slices: Slices) -> None:
    """A caller without the job's lease causes no long computation."""
    await deep(core)
    with pytest.raises(Refusal) as refused:
        await core.reports.accept("j", "stale", 3, moves(200))

    assert reason_name(refused.value.reason) == "LEASE_LOST"
    assert slices.count == 0


async def _has_begun(slices: Slices) -> bool:
    return slices.count > 0


async def _is_reserved(core: Core) -> bool:
    return core.journal.is_reserved("j")


async def _is_free(core: Core) -> bool:
    return not core.journal.is_reserved("j")


def test_plain_progress_pauses_as_other_updates_do() -> None:
    """An event of it takes some microseconds, and counts as as many steps: a thousand of them take three slices."""
    fold = Fold(Job(job_id="j", state=JobState.JOB_STATE_RUNNING, attempt=1))
    fold.apply(
        decide.report(fold, Update(stage_started=StageStarted(stage=Stage(stage_id="a", total=1000))), 1)
    )
    updates = [
        Update(stage_progressed=StageProgressed(stage_id="a", current=number, message="m" * 30))
        for number in range(1000)
    ]
    steps = decide.report_batches(
        fold, updates, 1, 2, size=0, batch_bytes=COMMIT_BYTES_LIMIT, over=job_ended, slice_steps=SLICE_STEPS
    )
    events = [0]
    for batch in steps:
        if batch is None:
            events.append(0)
        else:
            events[-1] += batch.events.last - batch.events.first + 1
    assert (sum(events), len(events) >= 3, max(events) <= 400) == (1000, True, True)


async def _is_done(task: asyncio.Task[Any]) -> bool:
    return task.done()
