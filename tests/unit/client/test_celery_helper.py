"""The helper process of a Celery worker, without a server."""

from __future__ import annotations

import asyncio
import json
import logging
import select
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from milepost.client._watch.job_watch import Watch
from milepost.client.engines.celery import helper_main
from milepost.client.engines.celery.canvas_parent import CanvasParent
from milepost.client.engines.celery.parent_reports import ParentReports
from milepost.client.engines.celery.parent_watch import ParentWatch
from milepost.client.engines.celery.task_job import TaskJob
from milepost.v1 import SubmitJobRequest


class Spoiled(helper_main._JobEnds):
    """Ends no job, since the spool cannot be used."""

    async def carry_out(self, command: Mapping[str, Any]) -> None:
        """Fail as opening a spool does."""
        raise PermissionError(13, "Permission denied", "/spool")


async def test_a_spool_that_cannot_be_used_ends_no_other_command(caplog: pytest.LogCaptureFixture) -> None:
    """The command goes to the log, and the helper carries out the next ones."""
    ends = Spoiled("127.0.0.1:1", {})
    slots = asyncio.Semaphore(1)
    await slots.acquire()
    await helper_main._carry_out(ends, {"job_id": "j"}, slots)

    assert caplog.messages == [
        "job j is not reported as ended: [Errno 13] Permission denied: '/spool'",
    ]
    assert not slots.locked()


class Defective(helper_main._JobEnds):
    """Ends no job, because of a defect."""

    async def carry_out(self, command: Mapping[str, Any]) -> None:
        """Fail as nobody expects it."""
        raise KeyError("a defect")


async def test_a_command_that_meets_a_defect_ends_no_other_command(caplog: pytest.LogCaptureFixture) -> None:
    """Jobs of other commands would wait for their leases."""
    slots = asyncio.Semaphore(1)
    await slots.acquire()
    await helper_main._carry_out(Defective("127.0.0.1:1", {}), {"job_id": "j"}, slots)

    assert caplog.messages == ["job j is not reported as ended: 'a defect'"]
    assert not slots.locked()


class SpoiledParent(CanvasParent):
    """Can be held by nobody, since the spool cannot be used."""

    def __init__(self) -> None:
        self._held = None

    async def check(self, now: float, on_stop: Callable[[], None]) -> bool:
        """Fail as opening a spool does."""
        raise PermissionError(13, "Permission denied", "/spool")


async def test_a_spool_that_cannot_be_used_ends_no_task(caplog: pytest.LogCaptureFixture) -> None:
    """A task whose canvas has a parent looks at that at its end; the error goes to the log."""
    watch = ParentWatch("j", SpoiledParent(), _watch_nothing, lambda: None)
    with caplog.at_level(logging.INFO, "milepost.client"):
        await watch.look()

    assert caplog.messages == [
        "job j, a parent of tasks: the call failed: [Errno 13] Permission denied: '/spool'",
    ]


def _watch_nothing(job_id: str) -> Watch:
    raise AssertionError(job_id)


@pytest.mark.parametrize("character", ["🎬", "\0", "\udc80"])
def test_a_command_is_written_to_the_pipe_whole(monkeypatch: pytest.MonkeyPatch, character: str) -> None:
    """Whatever a failure says, its line is shorter than what a pipe takes at once, and the helper reads it."""
    lines: list[bytes] = []
    reports = ParentReports({})
    monkeypatch.setattr(reports, "_write", lines.append)
    job = TaskJob("t" * 36, SubmitJobRequest(job_id="j" * 128), "i" * 64, canvas="c" * 200)
    reports.fail(job, "i" * 64, "CODE", character * 1000, retryable=True, worker_id="w" * 128)

    (line,) = lines
    assert len(line) < select.PIPE_BUF
    assert json.loads(line)["message"] == character * 400
