"""The number of an attempt's last report is that of the log, also where no event came of the report (rule 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.decide import ReportBatch
from milepost.server.dispatch.reports import Reports
from milepost.server.journal import Journal
from milepost.server.log.event_log import Commit, StoredJob
from milepost.server.log.log_errors import StoreFull
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.v1 import Event, Job, Update
from tests.support.rpc import eventually
from tests.unit.server.core import Core
from tests.unit.server.states import log_line

REFUSED = Update()
"""An update without content: its report has a number, and no event."""


def line(job: Job, now: int) -> list[Event]:
    """A decision that appends a log line."""
    return [decide.report(Fold(job), log_line(), now)]


async def running(core: Core) -> str:
    """Start a job; return its lease token."""
    await core.submit()
    await core.start()
    return core.token("j", 1)


async def fail(core: Core) -> None:
    """Let an append fail, after which the job is loaded again."""
    core.log.errors.append(StoreFull("full"))
    with pytest.raises(StoreFull):
        await core.journal.commit("j", line)
    await asyncio.sleep(0)  # the journal hears of it in the next pass


async def test_a_number_that_comes_while_the_job_is_loaded(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After failed appends several calls load the job at once: one that read it before the number reads it again."""
    token = await running(core)
    await fail(core)
    load = core.log.load

    async def meanwhile(job_id: str, *, caller: str) -> StoredJob | None:
        stored = await load(job_id, caller=caller)
        monkeypatch.setattr(core.log, "load", load)
        await (await core.reports.accept("j", token, 1, [REFUSED])).durable
        await fail(core)
        return stored

    monkeypatch.setattr(core.log, "load", meanwhile)

    assert (await core.journal.open("j")).report_sequence == 1


async def test_a_number_that_comes_after_the_job_was_loaded_again(core: Core) -> None:
    """A report was in the queue of the store when the append before it failed."""
    token = await running(core)
    core.log.errors.append(StoreFull("full"))
    core.log.hold(1)
    first = await core.reports.accept("j", token, 1, [REFUSED])
    second = await core.reports.accept("j", token, 2, [REFUSED])
    with pytest.raises(StoreFull):
        await first.durable
    assert (await core.journal.open("j")).report_sequence == 0
    core.log.let_go()
    await second.durable

    stored = await core.log.load("j")
    assert stored is not None
    assert (await core.journal.open("j")).report_sequence == stored.report_sequence


async def test_a_number_that_another_node_has_accepted(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that comes from there resumes after it: what it was acknowledged it has not kept."""
    token = await running(core)
    elsewhere = Reports(Journal(core.log, core.clock), core.tokens)
    await (await elsewhere.accept("j", token, 1, [REFUSED])).durable
    monkeypatch.setattr(core.log, "is_shared", True)

    assert (await core.attempts.resume("j", token))[0] == 1


async def test_what_another_node_appends_to_a_new_job(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may do so before the node that has created the job goes on, which opens it as it is then."""
    other, append = Journal(core.log, core.clock), core.log.append
    appending: list[asyncio.Task[None]] = []

    async def answer(created: PromptFuture[None], answered: PromptFuture[None]) -> None:
        await created
        await other.commit("j", line)
        answered.set_result(None)

    def before_its_answer(commit: Commit) -> PromptFuture[None]:
        monkeypatch.setattr(core.log, "append", append)
        answered: PromptFuture[None] = PromptFuture()
        appending.append(asyncio.create_task(answer(append(commit), answered)))
        return answered

    monkeypatch.setattr(core.log, "append", before_its_answer)
    await core.submit()

    assert (await core.journal.open("j")).job.last_sequence == 2


@pytest.mark.parametrize("update", [REFUSED, log_line("second")], ids=["no event", "events"])
async def test_a_report_behind_one_that_another_node_was_faster_than(
    core: Core, monkeypatch: pytest.MonkeyPatch, update: Update
) -> None:
    """Though that has appended as many events, a long report does not follow them: the one before would be taken for
    accepted, and be lost, or make the number smaller again. Both are decided again, in order.
    """
    is_decided = asyncio.Event()
    report_batches = decide.report_batches

    def in_slices(*arguments: Any, **options: Any) -> Iterator[ReportBatch | None]:
        while not is_decided.is_set():
            yield None
        yield from report_batches(*arguments, **options)

    async def is_refused() -> bool:
        return core.reports._retries.is_busy("j")

    monkeypatch.setattr(decide, "report_batches", in_slices)
    token = await running(core)
    core.log.hold(1)
    first = await core.reports.accept("j", token, 1, [log_line("first")])
    deciding = asyncio.create_task(core.reports.accept("j", token, 2, [update] * 2))
    await eventually(lambda: _is_reserved(core))
    await Journal(core.log, core.clock).commit("j", line)
    core.log.let_go()
    await eventually(is_refused)
    is_decided.set()
    second = await deciding

    assert [(await report.durable).report_sequence for report in (first, second)] == [1, 3]
    texts = [event.log_written.text for event in await core.events(after=2)]
    assert texts == ["x", "first", *[update.log_written.text] * (2 * update.HasField("log_written"))]
    stored = await core.log.load("j")
    assert stored is not None
    assert stored.report_sequence == 3


async def _is_reserved(core: Core) -> bool:
    return core.journal.is_reserved("j")
