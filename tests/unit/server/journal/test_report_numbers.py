"""The number of an attempt's last report is that of the log, also where no event came of the report (rule 11)."""

from __future__ import annotations

import asyncio

import pytest

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.dispatch.reports import Reports
from milepost.server.journal import Journal
from milepost.server.log.event_log import Commit, StoredJob
from milepost.server.log.log_errors import StoreFull
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.v1 import Event, Job, Update
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
