"""Values of local variables never reach a log."""

from __future__ import annotations

import signal
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest

from milepost.client import Client
from milepost.v1 import JobState
from tests.support.command import started, terminal
from tests.support.server import Server

CANARY: Final = "hunter" + "2"
# The exception's message, which shows that it was logged.
RAISED: Final = "the database is away"

JOBS: Final = dedent(
    """
    from milepost.client import JobContext, Worker

    worker = Worker()


    def connect():
        password = "hunter" + "2"
        raise ConnectionError("the database is away")


    @worker.job("task")
    async def task(job: JobContext) -> None:
        job.on_cancel(connect)
        job._control.cancel_signal.set()
        connect()


    @worker.job("thread")
    def thread(job: JobContext) -> None:
        connect()


    @worker.job("process", run="process")
    def process(job: JobContext) -> None:
        import logging

        try:
            connect()
        except ConnectionError:
            logging.getLogger("jobs").exception("connecting failed")
        connect()
    """
)

# Makes every command log exceptions at its exit, by both logging libraries.
AT_EXIT: Final = dedent(
    """
    import atexit
    import sys


    def connect():
        password = "hunter" + "2"
        raise ConnectionError("the database is away")


    @atexit.register
    def log():
        import logging
        try:
            connect()
        except ConnectionError:
            logging.getLogger("library").exception("connecting failed")
            if "milepost.server.cli.log_output" in sys.modules:
                import structlog
                structlog.get_logger("server").exception("connecting failed")
    """
)


@pytest.mark.parametrize("on_a_terminal", [False, True])
async def test_a_failing_handler_gives_no_variable_away(
    server: Server, tmp_path: Path, on_a_terminal: bool
) -> None:
    """Neither in the worker's log, JSON or terminal, nor in the failure; in each run mode."""
    (tmp_path / "canary_jobs.py").write_text(JOBS)
    env = {"PYTHONPATH": str(tmp_path), "MILEPOST_ADDRESS": server.address, "COLUMNS": "200"}
    async with Client(server.address) as client:
        for kind in ("task", "thread", "process"):
            await client.submit(kind, job_id=kind)
        arguments = ("worker", "canary_jobs:worker", "-c", "3")
        if on_a_terminal:
            async with terminal(*arguments, env=env, columns=200) as shown:
                failed = [await _failed(client, kind) for kind in ("task", "thread", "process")]
                await shown.shows(lambda text: text.count(RAISED) >= 4)
                log = shown.text
        else:
            async with started(*arguments, env=env) as running:
                failed = [await _failed(client, kind) for kind in ("task", "thread", "process")]
                running.signal(signal.SIGTERM)
                log = (await running.end()).err

    assert log.count(RAISED) >= 4
    assert CANARY not in log
    assert all(RAISED in failure and CANARY not in failure for failure in failed)


@pytest.mark.parametrize("on_a_terminal", [False, True])
@pytest.mark.parametrize("name", ["serve", "worker", "exec", "get"])
async def test_no_command_logs_variables(
    server: Server, tmp_path: Path, name: str, on_a_terminal: bool
) -> None:
    """By any logger, and by the interpreter itself."""
    (tmp_path / "sitecustomize.py").write_text(AT_EXIT)
    (tmp_path / "canary_jobs.py").write_text(JOBS)
    arguments, stopped_after = {
        "serve": (("serve", "--address", "127.0.0.1:0", "--data", tmp_path / "own"), "epoch"),
        "worker": (("worker", "canary_jobs:worker"), "is connected"),
        "exec": (("exec", "-k", "k", "--", "true"), ""),
        "get": (("get", "nowhere"), ""),
    }[name]
    # An unconfigured logger formats tracebacks like the interpreter.
    env = {"PYTHONPATH": str(tmp_path), "MILEPOST_DEBUG": "1", "COLUMNS": "200"}
    if on_a_terminal:
        async with terminal(*arguments, address=server.address, env=env, columns=200) as shown:
            if stopped_after:
                await shown.shows(lambda text: stopped_after in text)
                shown.process.send_signal(signal.SIGTERM)
            await shown.process.wait()
            await shown.shows(lambda text: RAISED in text)
            log = shown.text
    else:
        async with started(*arguments, address=server.address, env=env) as running:
            if stopped_after:
                await running.says(stopped_after)
                running.signal(signal.SIGTERM)
            log = (await running.end()).err

    assert RAISED in log
    assert CANARY not in log


async def _failed(client: Client, job_id: str) -> str:
    """The whole log of a failed job."""
    states = [job.state async for job in client.follow(job_id)]
    assert states[-1] == JobState.JOB_STATE_FAILED
    return "\n".join([str(event) async for event in client.watch(job_id, follow=False)])
