"""The helper process of a Celery worker, without a server."""

from __future__ import annotations

import asyncio
import json
import logging
import select
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import grpc
import pytest

from milepost.client._transport.backoff import Backoff
from milepost.client._transport.unexplained_errors import UNEXPLAINED_LIMIT
from milepost.client._watch.job_watch import Watch
from milepost.client.engines.celery import helper_main, parent_watches
from milepost.client.engines.celery.canvas_parent import CanvasParent
from milepost.client.engines.celery.canvas_stamp import CanvasStamp
from milepost.client.engines.celery.parent_reports import ParentReports
from milepost.client.engines.celery.parent_watch import ParentWatch
from milepost.client.engines.celery.task_job import TaskJob
from milepost.client.errors import MilepostError, ServiceError, Unreachable
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


class Faulty(helper_main._JobEnds):
    """Meets faults of the server, so many times."""

    def __init__(self, faults: int) -> None:
        super().__init__("127.0.0.1:1", {})
        self.faults = faults
        self.calls = 0

    async def carry_out(self, command: Mapping[str, Any]) -> None:
        """Fail with INTERNAL, as a stream that a proxy has reset does, too."""
        self.calls += 1
        if self.calls <= self.faults:
            raise FAULT


FAULT = ServiceError("error id 7", code=grpc.StatusCode.INTERNAL)


@pytest.mark.parametrize(
    ("faults", "calls", "messages"),
    [
        (UNEXPLAINED_LIMIT - 1, UNEXPLAINED_LIMIT, []),
        (UNEXPLAINED_LIMIT, UNEXPLAINED_LIMIT, ["job j is not reported as ended: error id 7"]),
    ],
)
async def test_a_command_that_meets_faults_of_the_server_is_repeated(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    faults: int,
    calls: int,
    messages: list[str],
) -> None:
    """Nobody else cancels the job. Faults that come back end in a line in the log."""
    monkeypatch.setattr(helper_main, "Backoff", partial(Backoff, initial=0.0))
    ends = Faulty(faults)
    slots = asyncio.Semaphore(1)
    await slots.acquire()
    await helper_main._carry_out(ends, {"job_id": "j"}, slots)

    assert (ends.calls, caplog.messages) == (calls, messages)


class FaultyParent(CanvasParent):
    """A parent that cannot be looked at, by these errors; it is held unless it was given back."""

    def __init__(self, *errors: MilepostError) -> None:
        self.errors = [*errors]
        self.gives_back = 0

    @property
    def is_held(self) -> bool:
        """See `CanvasParent`."""
        return not self.gives_back

    async def check(self, now: float, on_stop: Callable[[], None]) -> bool:
        """Meet the next error."""
        if self.errors:
            raise self.errors.pop(0)
        return False

    async def give_back(self) -> None:
        """Note it."""
        self.gives_back += 1


async def test_a_parent_is_looked_at_again_after_faults_of_the_server() -> None:
    """Nobody else ends it while this process holds it; once faults come back it is left to other processes."""
    parent = FaultyParent(*[FAULT] * (UNEXPLAINED_LIMIT - 1), Unreachable("somewhere"))
    ended: list[str] = []
    watch = ParentWatch("j", parent, _watch_unreachable, lambda: ended.append("j"))
    for _ in range(UNEXPLAINED_LIMIT + 1):
        await watch.look()
    assert (parent.errors, ended, parent.gives_back) == ([], [], 0)

    parent.errors = [FAULT] * UNEXPLAINED_LIMIT
    for _ in range(UNEXPLAINED_LIMIT):
        await watch.look()
    assert (parent.errors, ended, parent.gives_back) == ([], ["j"], 1)


async def test_a_parent_is_followed_again_once_that_has_failed() -> None:
    """Otherwise its end would wait for the next look, which may be a minute away."""
    followed: list[str] = []

    def follow(job_id: str) -> Watch:
        followed.append(job_id)
        return _watch_unreachable(job_id)

    watch = ParentWatch("j", FaultyParent(), follow, lambda: None)
    for _ in range(2):
        await watch.look()
        assert watch._following is not None
        await asyncio.wait((watch._following,))

    assert followed == ["j", "j"]


def _watch_unreachable(job_id: str) -> Watch:
    raise Unreachable("somewhere")


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


class Slow:
    """The watch of a parent, which takes long to give it back."""

    closed: ClassVar[list[str]] = []

    def __init__(self, job_id: str, *_: Any) -> None:
        self.job_id = job_id

    def restart(self) -> None:
        """Begin to look at it."""

    async def close(self) -> None:
        """Give it back, the first one last."""
        for _ in range(100 if self.job_id == "first" else 1):
            await asyncio.sleep(0)
        self.closed.append(self.job_id)


async def test_a_process_that_ends_gives_back_all_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the one that it holds no longer since there are too many: its lease would have to expire."""
    monkeypatch.setattr(parent_watches, "ParentWatch", Slow)
    monkeypatch.setattr(parent_watches, "WATCHED_PARENTS", 1)
    ends = helper_main._JobEnds("127.0.0.1:1", {})
    for job_id in ("first", "second"):
        await ends._parents.add(CanvasStamp(job_id))
    await ends._parents.close()

    assert Slow.closed == ["second", "first"]
