"""A handler in a child process, without a server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import threading
from pathlib import Path

import pytest

from milepost.client._conversion import to_struct
from milepost.client._worker.handlers import Handler, RegisteredHandler
from milepost.client._worker.in_process_runner import RunningHandler, start_handler
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess.handler_process import _exit_text
from milepost.client.errors import JobFailure
from milepost.v1 import Job, JobState, Update
from tests.support import isolated
from tests.support.isolating import all_gone
from tests.support.rpc import eventually


class Reports(Reporter):
    """Collects all calls."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self.taken: list[Update] = []

    async def has(self, name: str) -> Update:
        """Wait for an update of this name; return the last one."""

        async def come() -> list[Update]:
            while (batch := self.next_batch(1e9)) is not None:
                self.taken += batch.updates
                self.acknowledge(batch.first + len(batch.updates) - 1)
            return [update for update in self.taken if update.HasField(name)]  # type: ignore[arg-type]

        updates: list[Update] = await eventually(come)
        return updates[-1]


def started(handler: Handler, reporter: Reporter, **values: object) -> RunningHandler:
    """Whether its process was started."""
    job = Job(job_id="j", kind="k", input=to_struct(values, "input"))
    return start_handler(
        RegisteredHandler(handler, "process"), JobContext(JobControl(job, reporter)), reporter
    )


async def test_a_worker_that_does_not_listen_does_not_block_a_handler(tmp_path: Path) -> None:
    """Its reports are thinned and bounded in its process, with a note (rule 15)."""
    reports = Reports()
    running = started(isolated.chatty, reports, path=str(tmp_path))
    await reports.has("stage_started")
    _block_until(tmp_path / "said")
    (tmp_path / "go on").touch()
    ended = (await running.outcome).ended
    last = await reports.has("stage_progressed")

    assert ended is not None
    assert ended.state == JobState.JOB_STATE_SUCCEEDED
    assert last.stage_progressed.current == 20_000
    assert any("updates were dropped here" in update.log_written.text for update in reports.taken)


def _block_until(path: Path) -> None:
    """Block the event loop of the worker."""
    waiting = threading.Event()
    while not path.exists():
        waiting.wait(0.01)


async def test_a_cancelled_loop_ends_its_processes() -> None:
    """As at the end of asyncio.run without stopping the worker."""
    reports = Reports()
    running = started(isolated.sleeping, reports)
    result = (await reports.has("log_written")).log_written.fields.fields["pids"].list_value
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "process of job j"]
    task.cancel()

    assert isinstance((await running.outcome).error, asyncio.CancelledError)
    await all_gone([int(value.number_value) for value in result.values])


async def test_a_process_that_was_stopped_before_it_started_never_does() -> None:
    """Its outcome is immediate."""
    running = started(isolated.sleeping, Reports())
    running.interrupt()

    assert isinstance((await running.outcome).error, asyncio.CancelledError)


async def test_a_system_that_has_no_room_for_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job fails retryably."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    error = (await started(isolated.sleeping, Reports()).outcome).error

    assert isinstance(error, JobFailure)
    assert (error.code, error.retryable) == ("PROCESS_NOT_STARTED", True)


async def test_the_system_need_not_tell_when_a_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK polls without pidfd."""
    monkeypatch.setattr("milepost.client._worker.subprocess.handler_process._open_pidfd", lambda pid: None)
    ended = (await started(isolated.where, Reports()).outcome).ended

    assert ended is not None
    assert ended.state == JobState.JOB_STATE_SUCCEEDED


async def test_a_worker_with_many_open_files_starts_processes() -> None:
    """Descriptors of a process have their numbers of the worker, where those below 1,024 may be taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    with contextlib.ExitStack() as files:
        files.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1024):
            files.callback(os.close, os.dup(1))
        outcome = await started(isolated.where, Reports()).outcome

    assert (outcome.error, outcome.returned) == (None, True)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (3, "exited with status 3"),
        (-15, "was killed by SIGTERM"),
        (-200, "was killed by signal 200"),
        (None, "was killed, and has not ended yet,"),
    ],
)
def test_how_a_process_has_ended(status: int | None, text: str) -> None:
    """A process that the kernel keeps, as while it waits for a disk, has no status."""
    assert _exit_text(status) == text
