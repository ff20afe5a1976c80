"""Reports: each is accepted once, in order, from the holder of the lease (rule 11)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost.contract.reasons import reason_name
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import Refusal
from milepost.server.dispatch.reports import Acceptance
from milepost.server.journal import Journal
from milepost.server.log.log_errors import StoreBehind, StoreFull
from milepost.v1 import (
    Custom,
    ErrorReason,
    Event,
    Job,
    JobState,
    Stage,
    StageEnded,
    StageProgressed,
    StageStarted,
    StageState,
    Update,
)
from tests.support.bad_requests import struct
from tests.unit.server.core import Core
from tests.unit.server.states import ended, log_line


def lines(first: int, count: int) -> list[Update]:
    """Log lines from this number on, each with its number as text."""
    return [log_line(str(number)) for number in range(first, first + count)]


def lines_of(events: list[Event]) -> list[str]:
    """The log lines among the events."""
    return [event.log_written.text for event in events if event.HasField("log_written")]


async def running(core: Core) -> str:
    """Start a job; return its lease token."""
    await core.submit()
    return await core.start()


async def report(core: Core, token: str, first: int, updates: list[Update]) -> Acceptance:
    """Report, and wait until it is durable."""
    return await (await core.reports.accept("j", token, first, updates)).durable


async def refusal(core: Core, token: str, first: int, updates: list[Update]) -> str:
    """The reason of a report's refusal."""
    with pytest.raises(Refusal) as caught:
        await report(core, token, first, updates)
    return reason_name(caught.value.reason)


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 5)), max_size=12))
async def test_each_report_is_taken_once(core: Core, sent: list[tuple[int, int]]) -> None:
    """However reports are sent, repeated, overlapping or early: the log has each once, without gaps."""
    job_id = (await core.submit("")).job_id
    token = await core.start(job_id)
    taken = 0
    for first, count in sent:
        if first > taken + 1:
            with pytest.raises(Refusal, match="REPORT_GAP") as caught:
                await core.reports.accept(job_id, token, first, lines(first, count))
            assert str(taken + 1) == caught.value.metadata["expected"]
            continue
        accepted = await (await core.reports.accept(job_id, token, first, lines(first, count))).durable
        taken = max(taken, first + count - 1)
        assert taken == accepted.report_sequence
    assert lines_of(await core.events(job_id)) == [str(number) for number in range(1, taken + 1)]


async def test_a_refused_report_uses_up_its_number(core: Core) -> None:
    """The others are accepted; repeats are neither accepted nor refused again."""
    token = await running(core)
    updates = [log_line("1"), Update(), log_line("3"), Update()]

    accepted = await report(core, token, 1, updates)
    assert [rejection.report_sequence for rejection in accepted.rejections] == [2, 4]
    assert (accepted.report_sequence, lines_of(await core.events())) == (4, ["1", "3"])
    again = await report(core, token, 1, updates)
    assert (again.rejections, again.report_sequence) == ([], 4)
    assert lines_of(await core.events()) == ["1", "3"]


async def test_refused_numbers_survive_a_restart(core: Core) -> None:
    """Although the log has no event of them."""
    token = await running(core)
    await report(core, token, 1, [Update(), Update()])
    stored = await core.log.load("j")

    assert stored is not None
    assert stored.report_sequence == 2


async def test_a_report_as_a_whole_is_all_or_nothing(core: Core) -> None:
    """The refusal names the field in the request, and uses up no number."""
    token = await running(core)
    await report(core, token, 1, lines(1, 2))

    with pytest.raises(Refusal) as caught:
        await core.reports.accept("j", token, 2, [log_line("2"), log_line("3"), Update()], atomic=True)
    assert caught.value.metadata["field"] == "updates[2].update"
    assert lines_of(await core.events()) == ["1", "2"]
    accepted = await (await core.reports.accept("j", token, 2, lines(2, 3), atomic=True)).durable
    assert (accepted.report_sequence, lines_of(await core.events())) == (4, ["1", "2", "3", "4"])


async def test_after_the_end_only_a_repeat_is_acknowledged(core: Core) -> None:
    """Rule 11: nothing follows ``job_ended``; later updates of its report are refused, earlier ones are known."""
    token = await running(core)
    updates = [log_line("1"), ended(JobState.JOB_STATE_SUCCEEDED), log_line("3")]
    accepted = await report(core, token, 1, updates)
    assert (
        accepted.report_sequence,
        accepted.over,
        [r.report_sequence for r in accepted.rejections],
    ) == (3, True, [3])
    assert reason_name(accepted.rejections[0].refusal.reason) == "JOB_ENDED"

    assert (await report(core, token, 1, updates)).report_sequence == 3
    assert (await report(core, token, 2, updates[1:])).report_sequence == 3
    assert await refusal(core, token, 4, [log_line("4")]) == "JOB_ENDED"
    assert await refusal(core, token, 1, [*updates, log_line("4")]) == "JOB_ENDED"
    assert await refusal(core, token, 6, [log_line("6")]) == "REPORT_GAP"
    assert lines_of(await core.events()) == ["1"]


async def test_each_attempt_numbers_its_reports_from_one(core: Core) -> None:
    """A newer attempt fences off the older one."""
    first = await running(core)
    await report(core, first, 1, lines(1, 3))
    await core.attempts.release("j", first)
    assert await refusal(core, first, 4, lines(4, 1)) == "LEASE_LOST"
    assert (await report(core, first, 1, lines(1, 3))).report_sequence == 3

    second = await core.start()
    assert (await report(core, second, 1, lines(9, 1))).report_sequence == 1
    for token in (first, "", second[::-1]):
        assert await refusal(core, token, 1, lines(1, 1)) == "LEASE_LOST"
        assert await refusal(core, token, 2, lines(2, 1)) == "LEASE_LOST"


@pytest.mark.parametrize(
    ("size", "parts"),
    [
        (200_000, [(number, number) for number in range(3, 18)]),
        (5_000, [(first, first + 2) for first in range(3, 18, 3)]),
        (500, [(3, 17)]),
    ],
)
async def test_a_large_report_is_appended_in_parts(
    core: Core, size: int, parts: list[tuple[int, int]]
) -> None:
    """So that no commit exceeds a batch, or one event; each part has the number of its last update."""
    token = await running(core)
    large = Update(custom=Custom(type="t", json=struct({"x": "x" * size})))
    accepted = await report(core, token, 1, [large] * 15)
    page = await core.log.read("j", 2, 1 << 30)

    assert page is not None
    assert (accepted.report_sequence, accepted.last_sequence) == (15, 17)
    assert [(chunk.first, chunk.last) for chunk in page.chunks] == parts


async def test_a_part_that_cannot_be_appended_takes_the_rest_along(core: Core) -> None:
    """Later parts would leave a gap; a repeat is accepted as a whole, once."""
    token = await running(core)
    large = Update(custom=Custom(type="t", json=struct({"x": "x" * 200_000})))
    core.log.errors.extend([None, StoreFull("full")])
    pending = await core.reports.accept("j", token, 1, [large] * 15)
    assert (await pending.durable).report_sequence == 15

    assert (await report(core, token, 1, [large] * 15)).report_sequence == 15
    assert [event.sequence for event in await core.events()] == [*range(1, 18)]


async def test_a_worker_resumes_where_its_reports_stand(core: Core) -> None:
    """Rule 14: after the last durable report, with the current job."""
    token = await running(core)
    await report(core, token, 1, lines(1, 3))
    report_sequence, job = await core.attempts.resume("j", token)

    assert (report_sequence, job.last_sequence) == (3, 5)


async def test_a_start_of_a_deleted_job_is_not_that_of_a_later_one(core: Core) -> None:
    """While its assignment waits the job may end and its id be used again: the later attempt stays with its worker."""
    await core.submit()
    started = await core.attempts.start("j", "slow")
    await started.durable
    await core.cancel(0)
    await core.journal.delete(await core.journal.find("j"))
    core.clock.advance(1)
    await core.submit()
    token = await core.start()

    with pytest.raises(Refusal) as refused:
        await core.attempts.assignment("j", started.key)
    assert refused.value.reason == ErrorReason.ERROR_REASON_LEASE_LOST
    await core.attempts.undo_start("j", started.key)
    job = await core.journal.find("j")
    assert (job.state, core.tokens.holds(job, token)) == (JobState.JOB_STATE_RUNNING, True)


def _end_stage(job: Job, now: int) -> list[Event]:
    """What ends the stage at another node."""
    ended = StageEnded(stage_id="s", state=StageState.STAGE_STATE_SUCCEEDED)
    return [decide.report(Fold(job), Update(stage_ended=ended), now)]


@pytest.mark.parametrize("others", [0, 1])
async def test_a_report_as_a_whole_that_meets_a_conflict_is_all_or_nothing(core: Core, others: int) -> None:
    """What another node has appended first may have an update refused; also the only one of a report."""
    stage = Stage(stage_id="s", total=10)
    await core.submit(stages=[stage])
    token = await core.start()
    await core.report(token, Update(stage_started=StageStarted(stage=stage)))
    core.log.hold(1)
    progress = Update(stage_progressed=StageProgressed(stage_id="s", current=5))
    pending = await core.reports.accept("j", token, 2, [*lines(2, others), progress], atomic=True)
    await core.log.holds(1)
    await Journal(core.log, core.clock).commit("j", _end_stage)
    core.log.let_go()

    with pytest.raises(Refusal) as caught:
        await pending.durable
    assert caught.value.metadata["field"] == f"updates[{others}].stage_progressed.stage_id"
    assert lines_of(await core.events()) == []


async def test_an_attempt_that_ends_before_its_assignment_is_read(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker does not get the job: to read how long its stages usually take may take long."""
    await core.submit()
    started = await core.attempts.start("j", "w")
    await started.durable

    async def prepare(owner: str, kind: str) -> None:
        await core.cancel(0)

    monkeypatch.setattr(core.attempts._learned, "prepare", prepare)
    with pytest.raises(Refusal) as refused:
        await core.attempts.assignment("j", started.key)
    assert reason_name(refused.value.reason) == "JOB_ENDED"


async def test_a_job_that_cannot_be_read_has_no_cancellation_to_tell_of(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for once a report is durable, which must not be answered with an error of the store then."""
    token = await running(core)

    async def behind(job_id: str, **_: object) -> Job:
        raise StoreBehind(f"{job_id} cannot be read")

    monkeypatch.setattr(core.journal, "find", behind)
    assert await core.attempts.cancellation("j", token) is None
