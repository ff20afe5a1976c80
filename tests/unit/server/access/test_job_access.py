"""What a call does that names a job which does not exist for its caller."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost.server.access.audit import AuditLog
from milepost.server.access.authorize import Action
from milepost.server.access.current_principal import set_principal
from milepost.server.access.principal import Principal, Scope
from milepost.server.base.refusal import Refusal
from milepost.server.log.event_log import JobIdentity
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.scheduling.callers import SERVER
from milepost.server.service.job_access import JobAccess
from tests.support.commits import Author, put

OURS = Principal("ours", frozenset({"team-a"}), frozenset(Scope))


class Recorded(MemoryEventLog):
    """A log that notes what is asked of it; once it has caught up, a job may have become another owner's."""

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(disk)
        self.asked: list[str] = []
        self.later: dict[str, JobIdentity] = {}

    async def identify(self, job_id: str, *, caller: str = SERVER) -> JobIdentity | None:
        """See ``EventLog``."""
        self.asked.append("identify")
        if "catch_up" in self.asked and job_id in self.later:
            return self.later[job_id]
        return await super().identify(job_id, caller=caller)

    async def catch_up(self, job_id: str) -> None:
        """See ``EventLog``."""
        self.asked.append("catch_up")


@pytest.fixture
async def log() -> Recorded:
    """A log with a job of each of two owners."""
    made = Recorded(MemoryDisk())
    await put(made, Author("own", owner="team-a").submit(), Author("foreign", owner="team-b").submit())
    set_principal(OURS, "ipv4:127.0.0.1:1")
    return made


async def test_a_foreign_job_takes_the_steps_of_a_missing_one(log: Recorded, tmp_path: Path) -> None:
    """The same reads, and a line of the audit log each."""
    audit = AuditLog(tmp_path / "audit.jsonl")
    access = JobAccess(log, audit)
    steps: dict[str, list[tuple[Action, list[str], int]]] = {}
    for job_id in ("foreign", "missing"):
        for action in (Action.READ, Action.CANCEL, Action.DELETE, Action.WORK, Action.SHARE):
            log.asked.clear()
            with pytest.raises(Refusal, match="JOB_NOT_FOUND"):
                await access.check(OURS, action, job_id)
            lines = len((tmp_path / "audit.jsonl").read_text().splitlines())
            steps.setdefault(job_id, []).append((action, list(log.asked), lines))
    audit.close()
    reads = ["identify", "catch_up", "identify"]
    assert [step[1] for step in steps["foreign"]] == [reads] * 5
    assert [(action, asked, lines + 5) for action, asked, lines in steps["foreign"]] == steps["missing"]


async def test_a_job_that_exists_is_looked_up_once(log: Recorded) -> None:
    """It costs what it did."""
    await JobAccess(log, AuditLog(None, is_open=False)).check(OURS, Action.READ, "own")
    assert log.asked == ["identify"]


async def test_an_id_that_is_another_owners_by_now(log: Recorded) -> None:
    """Another node may have given it away: what is found in the end counts."""
    access = JobAccess(log, AuditLog(None, is_open=False))
    log.later["foreign"] = JobIdentity("team-a", "k", "")
    await access.check(OURS, Action.READ, "foreign")
    log.asked.clear()
    log.later["missing"] = JobIdentity("team-a", "k", "")
    await access.check(OURS, Action.READ, "missing")
