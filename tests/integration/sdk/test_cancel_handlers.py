"""Cancelling running handlers: their notification, their clean-up, and the end of those that do not stop."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from milepost.client._worker.handlers import Handler, RunMode
from milepost.v1 import Event, JobState, Severity, StageState
from tests.support import isolated
from tests.support.isolating import all_gone, at_bench, is_gone, lines, pids_in
from tests.support.rpc import kinds
from tests.support.server import ServerProcess

CANCELLED = JobState.JOB_STATE_CANCELLED


def after_request(events: list[Event]) -> list[str]:
    """The events after the request, without progress: names of payloads, or texts of log lines."""
    names = kinds(events)
    return [
        event.log_written.text if event.HasField("log_written") else str(name)
        for event, name in list(zip(events, names, strict=True))[names.index("cancel_requested") :]
        if name != "stage_progressed"
    ]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave most of the grace period for reporting the end, however slow the machine is."""
    monkeypatch.setattr("milepost.client._worker.grace_period._MARGIN_FRACTION", 1 - 1 / 40)
    monkeypatch.setattr("milepost.client._worker.grace_period._MARGIN_LIMIT", 600.0)


@pytest.mark.parametrize(
    "handler",
    [isolated.sleeping, isolated.sleeping_in_loop, isolated.tracking, isolated.waiting_for_thread],
)
async def test_a_handler_in_a_process_is_interrupted(shared_server: ServerProcess, handler: Handler) -> None:
    """At any point, and once: it cleans up, and has stopped before the job is CANCELLED (rule 16)."""
    async with at_bench(shared_server.address, handler) as bench:
        job = await bench.submit()
        pids = await bench.pids(job.job_id)
        await bench.client.cancel(job.job_id, grace_period=60)
        job, events = await bench.end(job.job_id)
        assert is_gone(pids[0])
        await all_gone(pids)

    events_found = after_request(events)
    assert events_found[:2] == ["cancel_requested", "cancel_acknowledged"]
    assert events_found.count("called back") == 1
    assert events_found.index("interrupted") < events_found.index("cleaned up")
    assert (job.state, job.cancellation.forced, job.message) == (CANCELLED, False, "")


@pytest.mark.parametrize(
    ("handler", "run"),
    [
        (isolated.calling_back, "thread"),
        (isolated.calling_back, "process"),
        (isolated.calling_back_in_loop, "task"),
    ],
)
async def test_a_handler_is_called_back(shared_server: ServerProcess, handler: Handler, run: RunMode) -> None:
    """Each callback runs once, even if another one fails; one registered later runs at once."""
    async with at_bench(shared_server.address, handler, run) as bench:
        job = await bench.submit()
        await bench.pids(job.job_id)
        await bench.client.cancel(job.job_id, grace_period=60)
        job, events = await bench.end(job.job_id)

    assert lines(events)[1:] == ["first", "at once"]
    assert (job.state, job.cancellation.forced) == (CANCELLED, False)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("handler", [isolated.stubborn, isolated.native])
async def test_a_process_that_does_not_stop_is_killed(
    shared_server: ServerProcess, tmp_path: Path, handler: Handler
) -> None:
    """With all its children, early enough to report it within the grace period, which may be shortened (rule 17)."""
    async with at_bench(shared_server.address, handler) as bench:
        path = tmp_path / "pids"
        job = await bench.submit({"path": str(path)})
        pids = await (pids_in(path) if handler is isolated.native else bench.pids(job.job_id))
        await bench.client.cancel(job.job_id, grace_period=4000)
        await bench.client.cancel(job.job_id, grace_period=40)
        job, events = await bench.end(job.job_id)
        assert is_gone(pids[0])
        await all_gone(pids)

    assert "cancel_acknowledged" in after_request(events)
    assert (
        job.state,
        job.cancellation.forced,
        job.message,
    ) == (CANCELLED, False, "The handler did not stop in time, so its process was killed.")


async def test_a_grace_of_nothing_kills_as_well(shared_server: ServerProcess) -> None:
    """The server ends the job before the worker gets the cancellation."""
    async with at_bench(shared_server.address, isolated.stubborn) as bench:
        job = await bench.submit()
        pids = await bench.pids(job.job_id)
        job = await bench.client.cancel(job.job_id, grace_period=0)
        await all_gone(pids)

    assert (job.state, job.cancellation.forced) == (CANCELLED, True)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("handler", "run"), [(isolated.deaf, "thread"), (isolated.deaf_in_loop, "task")])
async def test_a_process_that_cannot_be_killed_is_reported_as_running(
    shared_server: ServerProcess, tmp_path: Path, handler: Handler, run: RunMode
) -> None:
    """The job's log says so before the server ends the job by force."""
    async with at_bench(shared_server.address, handler, run) as bench:
        job = await bench.submit({"path": str(tmp_path / "end")})
        await bench.pids(job.job_id)
        await bench.client.cancel(job.job_id, grace_period=40)
        async for event in bench.client.watch(job.job_id):
            if event.log_written.severity == Severity.SEVERITY_WARNING:
                break
        await bench.client.cancel(job.job_id, grace_period=0)
        job, events = await bench.end(job.job_id)
        (tmp_path / "end").touch()

    warnings = [event for event in events if event.log_written.severity == Severity.SEVERITY_WARNING]
    assert [event.log_written.text[:27] for event in warnings] == ["The handler has not stopped"]
    assert (job.state, job.cancellation.forced) == (CANCELLED, True)


@pytest.mark.parametrize(
    ("handler", "state", "message"),
    [
        (isolated.finishing, JobState.JOB_STATE_SUCCEEDED, ""),
        (isolated.breaking, CANCELLED, "OSError while it was being cancelled: no such file"),
    ],
)
async def test_how_an_interrupted_handler_ends(
    shared_server: ServerProcess, handler: Handler, state: JobState.ValueType, message: str
) -> None:
    """Completion may win (rule 17); a failure during the clean-up counts as stopped, and is logged."""
    async with at_bench(shared_server.address, handler) as bench:
        job = await bench.submit()
        await bench.pids(job.job_id)
        await bench.client.cancel(job.job_id, grace_period=60)
        job, _ = await bench.end(job.job_id)

    assert (state, message) == (job.state, job.message)


@pytest.mark.parametrize("races", [4, pytest.param(200, marks=pytest.mark.nightly)])
async def test_a_cancellation_races_the_end(shared_server: ServerProcess, races: int) -> None:
    """One of them wins (rule 17): each job has one end, reported by its worker, and no process is left."""
    chance = random.Random(races)
    async with at_bench(shared_server.address, isolated.racing, max_concurrency=4) as bench:

        async def race() -> tuple[JobState.ValueType, bool]:
            job = await bench.submit({"seconds": 0.02})
            pids = await bench.pids(job.job_id)
            await asyncio.sleep(chance.uniform(0, 0.05))
            await bench.client.cancel(job.job_id, grace_period=60)
            job, events = await bench.end(job.job_id)
            assert kinds(events).count("job_ended") == 1
            await all_gone(pids)
            return job.state, job.cancellation.forced

        ends = set(await asyncio.gather(*(race() for _ in range(races))))

    assert {(CANCELLED, False), (JobState.JOB_STATE_SUCCEEDED, False)} >= ends
    assert races < 100 or len(ends) == 2


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module whose import in a handler's process waits for a file ``go on``."""
    (tmp_path / "slow.py").write_text(
        dedent(
            f"""
            import time
            from pathlib import Path
            from milepost.client._worker.subprocess.handler_pickling import is_loading

            def plain(job):
                job.log("begun")

            async def in_loop(job):
                job.log("begun")

            while is_loading() and not Path({str(tmp_path)!r}, "go on").exists():
                time.sleep(0.01)
            """
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("slow")
    del sys.modules["slow"]


@pytest.mark.parametrize("name", ["plain", "in_loop"])
async def test_a_handler_that_has_not_begun_does_not(
    shared_server: ServerProcess, slow: ModuleType, tmp_path: Path, name: str
) -> None:
    """The handler does not start if the job is cancelled while its process starts."""
    async with at_bench(shared_server.address, getattr(slow, name)) as bench:
        job = await bench.submit()
        async for event in bench.client.watch(job.job_id):
            if event.HasField("job_started"):
                await bench.client.cancel(job.job_id, grace_period=60)
            if event.HasField("cancel_acknowledged"):
                break
        (tmp_path / "go on").touch()
        job, events = await bench.end(job.job_id)

    assert after_request(events) == ["cancel_requested", "cancel_acknowledged", "job_ended"]
    assert (job.state, job.cancellation.forced, job.message) == (CANCELLED, False, "")


async def test_a_process_is_killed_when_its_worker_stops(
    shared_server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the drain timeout the process is killed, and the job is released."""
    monkeypatch.setattr("milepost.client._worker.attempt.STOP_GRACE", 0.2)
    async with at_bench(shared_server.address, isolated.stubborn) as bench:
        job = await bench.submit()
        pids = await bench.pids(job.job_id)
        bench.worker.stop()
        async for event in bench.client.watch(job.job_id):
            if event.HasField("attempt_ended"):
                break
        assert is_gone(pids[0])
        await all_gone(pids)
        await bench.client.cancel(job.job_id)

    assert event.attempt_ended.failure.code == "RELEASED"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory to archive."""
    root = tmp_path / "root"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg" / "module.py").write_bytes(b"x = 1\n" * 1000)
    (root / "large").write_bytes(os.urandom(500_000))
    return root


@pytest.mark.parametrize("stage", isolated.STEPS)
async def test_cancelling_an_archive_leaves_nothing(
    shared_server: ServerProcess, root: Path, tmp_path: Path, stage: str
) -> None:
    """At any stage: no partial file and no process is left, and an older archive is unchanged."""
    older = tmp_path / "out" / "root.tar.zst"
    older.parent.mkdir()
    older.write_bytes(b"old")
    async with at_bench(shared_server.address, isolated.held_archive) as bench:
        job = await bench.submit({"path": str(root), "output": str(older), "hold": stage})
        pids = await bench.pids(job.job_id)
        assert len(list(older.parent.iterdir())) > 1
        await bench.client.cancel(job.job_id, grace_period=60)
        job, _ = await bench.end(job.job_id)
        await all_gone(pids)

    assert [older] == list(older.parent.iterdir())
    assert hashlib.sha256(b"old").digest() == hashlib.sha256(older.read_bytes()).digest()
    assert (job.state, job.cancellation.forced) == (CANCELLED, False)
    assert {s.stage_id: s.state for s in job.stages}[stage] == StageState.STAGE_STATE_CANCELLED
