"""The effective limit of events for a job with its own limit, on a server with one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from milepost.server.followers.retention import Retention, RetentionPolicy
from milepost.server.log.event_log import EndedJob
from milepost.server.log.log_errors import StoreFull, StoreUnavailable
from milepost.v1 import Job, JobEnded, JobState, Update
from milepost.v1 import Retention as RetentionMessage
from tests.support.rpc import eventually, log_line
from tests.unit.server.core import Core


@pytest.mark.parametrize(
    ("own", "server", "first"),
    [(100, 400, 403), (1000, 400, 1), (0, 400, 103), (100, 0, 403), (0, 0, 1)],
)
async def test_a_jobs_own_bound_comes_before_the_servers(
    core: Core, own: int, server: int, first: int
) -> None:
    """Whether it is the smaller one or the larger; the server's holds where a job has none, and 0 is no bound.

    Of 502 events the newest are kept: trimming is by whole commits, here of 50 events.
    """
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(max_events=server), interval=60)
    core.log.add_listener(retention.on_entries)
    await core.submit(retention=RetentionMessage(max_events=own))
    token = await core.start()
    for _ in range(10):
        await core.report(token, *[log_line("x")] * 50)

    await retention.sweep()
    assert (await core.journal.find("j")).first_sequence == first


async def test_a_sweep_follows_one_that_failed(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its error was, such as that of a read: nothing would be deleted for as long as the server runs."""
    read, failures = core.log.ended, [sqlite3.OperationalError("unable to open database file")]

    async def ended(after: tuple[int, int], limit: int) -> Sequence[EndedJob]:
        if failures:
            raise failures.pop()
        return await read(after, limit)

    monkeypatch.setattr(core.log, "ended", ended)
    await core.submit()
    await core.report(await core.start(), Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)))
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(jobs=0), interval=0.01)
    sweeping = asyncio.create_task(retention.run())

    async def deleted() -> bool:
        return await core.log.find("j") is None

    await eventually(deleted)
    sweeping.cancel()
    assert failures == []


async def end(core: Core, *job_ids: str) -> None:
    """Submit, start and end jobs."""
    for job_id in job_ids:
        await core.submit(job_id)
        ends = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
        await core.report(await core.start(job_id), ends, job_id=job_id)


async def test_a_sweep_goes_on_behind_a_job_that_cannot_be_deleted(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing behind it would ever be deleted. The log names it, once a while."""
    await end(core, "first", "last")
    delete = core.journal.delete

    async def deleting(job: Job) -> None:
        if job.job_id == "first":
            raise StoreUnavailable("the write failed")
        await delete(job)

    monkeypatch.setattr(core.journal, "delete", deleting)
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(jobs=0), interval=60)
    with capture_logs() as lines:
        await retention.sweep()
        await retention.sweep()

    assert [await core.log.find(job_id) is not None for job_id in ("first", "last")] == [True, False]
    assert [(line["event"], line["job_id"]) for line in lines] == [("job not cleaned up", "first")]


async def test_a_sweep_goes_on_behind_a_damaged_row(core: Core, tmp_path: Path) -> None:
    """It is one of a page that is read at once."""
    await end(core, "damaged", "last")
    with closing(sqlite3.connect(tmp_path / "milepost.db")) as other:
        other.execute("UPDATE jobs SET job = x'0aff' WHERE job_id = 'damaged'")
        other.commit()
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(jobs=0), interval=60)
    with capture_logs() as lines:
        await retention.sweep()

    assert await core.log.find("last") is None
    assert [(line["event"], line["job_id"]) for line in lines] == [("job not cleaned up", "damaged")]


async def test_a_job_that_could_not_be_trimmed_is_trimmed_by_the_next_sweep(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the others by this one."""
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(max_events=10), interval=60)
    core.log.add_listener(retention.on_entries)
    for job_id in ("first", "last"):
        await core.submit(job_id)
        token = await core.start(job_id)
        for _ in range(3):
            await core.report(token, *[log_line("x")] * 5, job_id=job_id)
    trim, failures = core.journal.trim, [StoreUnavailable("the write failed")]

    async def trimming(job_id: str, submitted: int, first_sequence: int) -> None:
        if job_id == "first" and failures:
            raise failures.pop()
        await trim(job_id, submitted, first_sequence)

    monkeypatch.setattr(core.journal, "trim", trimming)
    kept = []
    for _ in range(2):
        await retention.sweep()
        kept.append([(await core.journal.find(job_id)).first_sequence for job_id in ("first", "last")])
    assert kept == [[1, 8], [8, 8]]


async def test_a_full_store_ends_a_sweep(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would refuse each of the jobs; the next sweep tries again."""
    await end(core, "first", "last")
    asked: list[str] = []

    async def deleting(job: Job) -> None:
        asked.append(job.job_id)
        raise StoreFull("no room")

    monkeypatch.setattr(core.journal, "delete", deleting)
    retention = Retention(core.log, core.journal, core.clock, RetentionPolicy(jobs=0), interval=60)
    with pytest.raises(StoreFull):
        await retention.sweep()
    assert asked == ["first"]
