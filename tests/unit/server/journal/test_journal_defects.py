"""Defects of the server in the middle of a decision: after them, the journal's memory is not ahead of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from structlog.testing import capture_logs

from milepost.contract.reasons import reason_name
from milepost.fold import Fold
from milepost.server.base.refusal import Refusal
from milepost.server.log.event_log import Commit
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.v1 import JobState, LogWritten, Stage, StageProgressed, StageStarted, Update
from tests.support.rpc import eventually, log_line
from tests.unit.server.core import Core
from tests.unit.server.states import ended

SUCCEEDED = JobState.JOB_STATE_SUCCEEDED

Decide: TypeAlias = Callable[[Core, str], Awaitable[object]]


class Defect(Exception):
    """An error that nobody foresaw."""


def defective(*_: object, **__: object) -> None:
    """What has the defect."""
    raise Defect


def fail_append(core: Core, patch: pytest.MonkeyPatch, *, after: int = 0) -> None:
    """Have one append fail with the defect after this many others, when its events are folded in."""
    append, left = core.log.append, after

    def failing(commit: Commit) -> PromptFuture[None]:
        nonlocal left
        if not left:
            patch.setattr(core.log, "append", append)
            raise Defect
        left -= 1
        return append(commit)

    patch.setattr(core.log, "append", failing)


async def accept(core: Core, token: str, *updates: Update, first: int = 1, **options: Any) -> int:
    """Report, and wait until that is durable; the number of the last report that is accepted."""
    pending = await core.reports.accept("j", token, first, updates, **options)
    return (await pending.durable).report_sequence


async def names(core: Core) -> list[str | None]:
    """The payloads of the job's events after the start."""
    events = await core.events()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    return [event.WhichOneof("payload") for event in events[2:]]


def moves(count: int) -> list[Update]:
    """A report of many slices and several commits."""
    started = Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=count)))
    line = Update(log_written=LogWritten(text="x" * 100))
    progress = [
        Update(stage_progressed=StageProgressed(stage_id="s", current=number + 1)) for number in range(count)
    ]
    return [started, *(update for move in progress for update in (move, line))]


async def test_a_job_ends_also_where_its_run_teaches_nothing(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of the estimates costs a run, one line in the log, and no job its end."""
    monkeypatch.setattr(core.journal, "_run_of", defective)
    with capture_logs() as lines:
        for job_id in ("j", "other"):
            await core.submit(job_id)
            await core.report(await core.start(job_id), ended(SUCCEEDED), job_id=job_id)

    assert await names(core) == ["job_ended"]
    assert [(line["event"], line["job_id"]) for line in lines] == [("run not kept for estimates", "j")]
    assert (await core.log.runs("", "k")) == []


@pytest.mark.parametrize(
    ("decide", "events"),
    [
        (lambda core, _: core.cancel(10), ["cancel_requested"]),
        (lambda core, token: accept(core, token, log_line("plain")), ["log_written"]),
        (lambda core, token: accept(core, token, ended(SUCCEEDED)), ["job_ended"]),
        (lambda core, token: accept(core, token, ended(SUCCEEDED), atomic=True), ["job_ended"]),
    ],
    ids=["decision", "plain report", "report", "atomic report"],
)
async def test_a_decision_that_was_not_appended_was_not_made(
    core: Core, monkeypatch: pytest.MonkeyPatch, decide: Decide, events: list[str]
) -> None:
    """The next one builds on the log: the attempt goes on, and the same call then does what it should have done."""
    await core.submit()
    token = await core.start()
    opened = await core.journal.open("j")
    fail_append(core, monkeypatch)
    with pytest.raises(Defect):
        await decide(core, token)

    assert opened.pending == 0
    assert (await core.attempts.resume("j", token))[0] == 0
    await decide(core, token)
    assert await names(core) == events


async def test_a_job_that_was_folded_in_part_is_loaded_again(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two events of a decision the fold takes the first only."""
    await core.submit()
    token = await core.start()
    with monkeypatch.context() as patch:
        apply = Fold.apply

        def failing(fold: Fold, event: Any) -> None:
            apply(fold, event)
            raise Defect

        patch.setattr(Fold, "apply", failing)
        with pytest.raises(Defect):
            await core.cancel(0)

    assert (await core.journal.open("j")).job == (await core.log.load("j")).job  # type: ignore[union-attr]
    assert await accept(core, token, log_line("on")) == 1


@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_was_appended_before_a_defect_is_waited_for(
    core: Core, monkeypatch: pytest.MonkeyPatch, *, is_lost: bool
) -> None:
    """The log lacks it until then. Whatever comes meanwhile is decided after it in its order, also if it fails."""
    await core.submit()
    token = await core.start()
    core.log.hold(2)
    before = [asyncio.create_task(accept(core, token, log_line("before"), first=first)) for first in (1, 2)]
    await core.log.holds(2)
    opened = await core.journal.open("j")
    fail_append(core, monkeypatch)
    with pytest.raises(Defect):
        await accept(core, token, ended(SUCCEEDED), first=3)
    assert opened.pending == 2

    after = [
        asyncio.create_task(accept(core, token, log_line("after"), first=3)),
        asyncio.create_task(core.cancel(10)),
        asyncio.create_task(accept(core, token, log_line("last"), first=4)),
    ]
    loads = core.log.loads
    for _ in range(20):
        await asyncio.sleep(0)
    assert (core.log.loads, any(task.done() for task in after)) == (loads, False)

    if is_lost:
        core.log.lose_commits()
    else:
        core.log.let_go()
    outcomes = await asyncio.gather(*before, *after, return_exceptions=True)
    reported = [
        reason_name(outcome.reason) if isinstance(outcome, Refusal) else outcome
        for outcome in outcomes
        if outcome is None or isinstance(outcome, int | Refusal)
    ]
    if is_lost:
        assert (reported, await names(core)) == (["REPORT_GAP", None, "REPORT_GAP"], ["cancel_requested"])
    else:
        assert reported == [1, 2, 3, None, 4]
        assert await names(core) == ["log_written"] * 3 + ["cancel_requested", "log_written"]
    assert opened.pending == 0
    assert await core.journal.open("j") is not opened
    await eventually(lambda: _is_free(core))


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_long_report_goes_on_after_what_was_appended_of_it(
    core: Core, monkeypatch: pytest.MonkeyPatch, *, atomic: bool
) -> None:
    """A defect between its slices, while its first commits wait for the store, leaves neither gaps nor duplicates."""
    await core.submit()
    token = await core.start()
    report = moves(500)
    core.log.hold(2)
    fail_append(core, monkeypatch, after=2)
    with pytest.raises(Defect):
        await accept(core, token, *report, atomic=atomic)
    assert core.log.held == 2

    again = asyncio.create_task(accept(core, token, *report, atomic=atomic))
    cancelling = asyncio.create_task(core.cancel(10))
    await asyncio.sleep(0)
    core.log.let_go()
    assert await again == len(report)
    await cancelling
    expected = ["stage_started", *["stage_progressed", "log_written"] * 500, "cancel_requested"]
    assert await names(core) == expected
    await eventually(lambda: _is_free(core))


async def test_a_long_decision_that_is_cut_is_discarded(core: Core) -> None:
    """Even before its task has begun: the job has what the first slice has folded in."""
    await core.submit()
    await core.start()
    opened = await core.journal.open("j")
    opened.fold.job.state = SUCCEEDED
    decision = asyncio.create_task(asyncio.sleep(0))
    core.journal.reserve(opened, decision)
    decision.cancel()
    assert core.journal.is_reserved("j")

    assert (await core.journal.open("j")).job.state == JobState.JOB_STATE_RUNNING
    assert opened.pending == 0


async def _is_free(core: Core) -> bool:
    return not core.journal.is_reserved("j")
