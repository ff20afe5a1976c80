"""Defects of the server in the middle of a decision: after them, the journal's memory is not ahead of the log."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from milepost.v1 import JobState
from tests.unit.server.core import Core
from tests.unit.server.states import ended

SUCCEEDED = JobState.JOB_STATE_SUCCEEDED


class Defect(Exception):
    """An error that nobody foresaw."""


def defective(*_: object, **__: object) -> None:
    """What has the defect."""
    raise Defect


async def names(core: Core) -> list[str | None]:
    """The payloads of the job's events after the start."""
    events = await core.events()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    return [event.WhichOneof("payload") for event in events[2:]]


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
