"""Bars, log records and threads, as subscribers of the job see them."""

from __future__ import annotations

import io
import threading
import uuid
from contextlib import redirect_stderr

import pytest

from milepost.client import JobContext, SyncClient
from milepost.client._worker.handlers import Handler, RunMode
from milepost.v1 import Event, JobState
from tests.support import code_with_bars
from tests.support.isolating import at_bench, lines
from tests.support.server import ServerProcess

EXPECTED = [
    ("stage_started", "epochs"),
    ("stage_started", "batches"),
    ("log_written", "epoch 0"),
    ("log_written", "epoch 1"),
    ("stage_ended", "batches"),
    ("stage_ended", "epochs"),
    ("job_ended", {"total": 6.0}),
]


def story(events: list[Event]) -> list[tuple[str, object]]:
    """The job's events, except progress."""
    texts: list[tuple[str, object]] = []
    for event in events:
        match event.WhichOneof("payload"):
            case "stage_started":
                texts.append(("stage_started", event.stage_started.stage.stage_id))
            case "stage_ended":
                texts.append(("stage_ended", event.stage_ended.stage_id))
            case "log_written":
                assert event.log_written.fields["logger"] == "tests.code_with_bars"
                texts.append(("log_written", event.log_written.text))
            case "job_ended":
                texts.append(("job_ended", dict(event.job_ended.result.items())))
    return texts


@pytest.mark.parametrize(
    ("handler", "run"),
    [
        (code_with_bars.plain, "thread"),
        (code_with_bars.plain, "process"),
        (code_with_bars.in_loop, "task"),
        (code_with_bars.in_loop, "process"),
    ],
)
async def test_code_that_shows_bars_and_logs_reports_to_its_job(
    shared_server: ServerProcess, handler: Handler, run: RunMode
) -> None:
    """In each run mode, and however deep in the code."""
    async with at_bench(shared_server.address, handler, run) as bench:
        job, events = await bench.run()
    assert story(events) == EXPECTED
    assert [(stage.stage_id, stage.current, stage.total, stage.unit) for stage in job.stages] == [
        ("epochs", 2.0, 2.0, ""),
        ("batches", 3.0, 3.0, "rows"),
    ]
    assert job.fraction == 1.0


def test_bars_in_an_attached_block_report_to_its_job(shared_server: ServerProcess) -> None:
    """Inside the block, and not after it."""
    with SyncClient(shared_server.address) as client:
        with client.start(f"test-{uuid.uuid4().hex}") as job:
            job.result = {"total": code_with_bars.compute()}
        with redirect_stderr(io.StringIO()) as shown:
            code_with_bars.compute()
        assert "epochs: 100%" in shown.getvalue()
        assert story(list(client.watch(job.id))) == EXPECTED


async def test_eight_threads_report_to_one_job(shared_server: ServerProcess) -> None:
    """All their reports are in the log, the lines of each in order; and no step is lost."""
    threads, steps = 8, 500

    def handler(job: JobContext) -> None:
        with job.stage("all", total=threads * steps) as every:

            def work(name: str) -> None:
                with job.stage(name, total=steps) as own:
                    for number in own.track(range(steps)):
                        job.log(f"{name} {number}", stage=own)
                        every.advance()
                        if number % 100 == 0:
                            job.emit("hundred", {"thread": name, "number": number})

            workers = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(threads)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()

    async with at_bench(shared_server.address, handler, "thread") as bench:
        job, events = await bench.run()
    assert job.state == JobState.JOB_STATE_SUCCEEDED
    said = lines(events)
    assert threads * steps == len(said)
    for thread in range(threads):
        own = [line for line in said if line.startswith(f"t{thread} ")]
        assert own == [f"t{thread} {number}" for number in range(steps)]
    assert sum(event.HasField("custom") for event in events) == threads * steps / 100
    assert {"all": float(threads * steps)} | {f"t{thread}": float(steps) for thread in range(threads)} == {
        stage.stage_id: stage.current for stage in job.stages
    }
