"""Handlers in child processes: reports, results, crashes, and the end of all their processes."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from milepost.client import Client, JobContext
from milepost.client._worker.handlers import Handler
from milepost.client.errors import JobFailed
from milepost.v1 import Event, JobState
from tests.support import isolated
from tests.support.command import started
from tests.support.isolating import all_gone, at_bench, is_gone, lines, pids_in, pids_of
from tests.support.server import MILEPOST, ServerProcess

ROOT = Path(__file__).parents[3]


def said(events: list[Event]) -> list[str]:
    """The events, without values that differ between jobs."""
    texts = []
    for event in events:
        payload = event.WhichOneof("payload")
        assert payload is not None
        if payload not in {"job_submitted", "job_started"}:
            message = getattr(event, payload)
            if payload == "job_ended":
                del message.result.fields["id"], message.result.fields["kind"]
            texts.append(f"{payload}: {message}")
    return texts


@pytest.mark.parametrize("handler", [isolated.talkative, isolated.talkative_in_loop])
async def test_process_handlers_report_like_threads(shared_server: ServerProcess, handler: Handler) -> None:
    """All reports and results arrive in order, from plain and async handlers."""
    results = []
    for run in (None, "process"):
        async with at_bench(shared_server.address, handler, run) as bench:
            job, events = await bench.run({"topic": "π"}, labels={"a": "b"})
        results.append(said(events))
        assert job.state == JobState.JOB_STATE_SUCCEEDED
        assert (bench.kind, job.job_id) == (job.result["kind"], job.result["id"])

    assert results[0] == results[1]
    assert len(results[0]) > 15


async def test_a_process_is_a_clean_one(shared_server: ServerProcess) -> None:
    """It leads its own session and process group, which identify all its processes; each job has another."""
    async with at_bench(shared_server.address, isolated.where) as bench:
        results = [dict((await bench.run())[0].result.items()) for _ in range(2)]

    for result in results:
        assert (result["pid"], result["pid"], float(os.getpid())) == (
            result["group"],
            result["session"],
            result["parent"],
        )
    assert results[0]["pid"] != results[1]["pid"]


@pytest.mark.parametrize(
    ("how", "fate"),
    [
        ("exit", "exited with status 3"),
        ("SIGSEGV", "was killed by SIGSEGV"),
        ("SIGKILL", "was killed by SIGKILL, as by a system that is out of memory,"),
    ],
)
async def test_a_crash_ends_the_attempt_and_nothing_else(
    shared_server: ServerProcess, how: str, fate: str
) -> None:
    """The failure has the exit status and the last stderr, and is retryable. The worker goes on."""
    async with at_bench(shared_server.address, isolated.crashing) as bench:
        if how == "exit":
            await bench.run({"how": how})
        job, _ = await bench.run({"how": how})

    assert job.state == JobState.JOB_STATE_FAILED
    assert (
        job.failure.code,
        job.failure.message,
        job.failure.retryable,
    ) == ("PROCESS_CRASHED", f"The handler's process {fate} before it returned.", True)
    assert job.failure.detail.splitlines()[:2] == ["first words", "last words"]


async def test_a_crash_does_not_affect_other_jobs(shared_server: ServerProcess, tmp_path: Path) -> None:
    """A crash and a hang do not affect a third job of the same worker."""
    async with at_bench(shared_server.address, isolated.as_input_says, max_concurrency=3) as bench:
        beside = await bench.submit({"as": "go on", "path": str(tmp_path / "end")})
        pids = await bench.pids(beside.job_id)
        hanging = await bench.submit({"as": "hang", "path": str(tmp_path / "pids")})
        hung = await pids_in(tmp_path / "pids")
        crashed, _ = await bench.run({"as": "crash", "how": "SIGSEGV"})
        await bench.client.cancel(hanging.job_id, grace_period=1)
        killed, _ = await bench.end(hanging.job_id)
        await all_gone(hung)
        assert not any(map(is_gone, pids))
        (tmp_path / "end").touch()
        job, events = await bench.end(beside.job_id)

    states = (crashed.state, killed.state, job.state)
    assert states == (JobState.JOB_STATE_FAILED, JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_SUCCEEDED)
    assert (job.attempt, lines(events)) == (1, [isolated.PIDS])
    assert dict(job.result.items()) == {"cancelled": False}


@pytest.mark.parametrize(
    ("how", "code", "message", "retryable"),
    [
        ("exception", "ValueError", "boo", True),
        ("failure", "NO_DISK", "There is no disk.", True),
    ],
)
async def test_a_failure_is_reported_as_by_a_worker(
    shared_server: ServerProcess, how: str, code: str, message: str, retryable: bool
) -> None:
    """With its code, and a traceback that begins in the handler."""
    async with at_bench(shared_server.address, isolated.failing) as bench:
        job, _ = await bench.run({"how": how})

    failure = job.failure
    assert (code, message, retryable) == (failure.code, failure.message, failure.retryable)
    assert "interruption.py" not in failure.detail


async def test_a_module_that_cannot_be_imported_fails_the_job(
    shared_server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module may have changed since the worker's start: the failure has the import error."""
    module = tmp_path / "changed.py"
    module.write_text("def handler(job): ...")
    monkeypatch.syspath_prepend(str(tmp_path))
    changed = importlib.import_module("changed")
    module.write_text("raise KeyError('no such setting')")
    async with at_bench(shared_server.address, changed.handler) as bench:
        job, _ = await bench.run()
    del sys.modules["changed"]

    assert job.failure.code == "HANDLER_NOT_LOADED"
    assert "KeyError: 'no such setting'" in job.failure.message
    assert str(module) in job.failure.detail
    assert job.failure.retryable


class Bound:
    """A callable object as a handler."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __call__(self, job: JobContext) -> dict[str, object]:
        """Return the value."""
        return {"value": self.value}


async def test_an_object_is_pickled(shared_server: ServerProcess) -> None:
    """With its attributes; if pickling fails, the job fails with the reason."""
    async with at_bench(shared_server.address, Bound("carried over")) as bench:
        job, _ = await bench.run()
    assert dict(job.result.items()) == {"value": "carried over"}

    async with at_bench(shared_server.address, Bound(threading.Lock())) as bench:
        job, _ = await bench.run()
    assert job.failure.code == "HANDLER_NOT_LOADED"
    assert "cannot pickle '_thread.lock' object" in job.failure.message


@pytest.mark.parametrize("handler", [isolated.leaving, isolated.lingering])
async def test_what_a_handler_leaves_behind_is_killed(
    shared_server: ServerProcess, monkeypatch: pytest.MonkeyPatch, handler: Handler
) -> None:
    """Child processes, and its own if a thread keeps it alive; the job has succeeded."""
    monkeypatch.setattr("milepost.client._worker.subprocess.handler_process._EXIT_TIMEOUT", 0.2)
    async with at_bench(shared_server.address, handler) as bench:
        job = await bench.submit()
        pids = await bench.pids(job.job_id)
        job, _ = await bench.end(job.job_id)
        await all_gone(pids)

    assert job.state == JobState.JOB_STATE_SUCCEEDED


async def test_a_daemon_does_not_hold_up_its_job(
    shared_server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon is left alone. The job ends although its stderr stays open."""
    monkeypatch.setattr("milepost.client._worker.subprocess.handler_process._PIPE_DRAIN_TIMEOUT", 0.2)
    async with at_bench(shared_server.address, isolated.escaping) as bench:
        job = await bench.submit()
        _, pid = await bench.pids(job.job_id)
        job, _ = await bench.end(job.job_id)

    assert job.state == JobState.JOB_STATE_SUCCEEDED
    os.kill(pid, signal.SIGKILL)
    await all_gone([pid])


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A worker script with a module beside it."""
    (tmp_path / "beside.py").write_text("WORD = 'beside'\n")
    path = tmp_path / "script.py"
    path.write_text(
        dedent(
            """
            import logging, os, sys
            from dataclasses import dataclass
            from milepost.client import Worker

            worker = Worker()
            print("imported as", __name__, sys.argv[1:], flush=True)

            @worker.job("isolated-word", run="process")
            def word(job):
                import beside
                print("to stdout")
                print("to stderr", file=sys.stderr)
                logging.getLogger("script").info("logged")
                return {"word": beside.WORD, "here": os.getcwd()}

            if __name__ == "__main__":
                worker.main()
            """
        )
    )
    return path


@pytest.mark.parametrize("how", ["script", "module", "command"])
async def test_handlers_of_scripts_modules_and_the_command(
    shared_server: ServerProcess, script: Path, how: str
) -> None:
    """Each is imported again in its process, with modules beside it; output and logs are passed through."""
    command = {
        "script": [sys.executable, str(script), "--option"],
        "module": [sys.executable, "-m", "script", "--option"],
        "command": [str(MILEPOST), "worker", "script:worker"],
    }[how]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=script.parent,
        env={**os.environ, "MILEPOST_ADDRESS": shared_server.address},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with Client(shared_server.address) as client:
            job = await client.submit("isolated-word")
            result = await client.result(job.job_id)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()

    assert {"word": "beside", "here": str(script.parent)} == result
    assert "to stdout" in out.decode()
    assert "to stderr" in err.decode()
    assert (how == "command") == ("INFO:script:logged" in err.decode())  # which has set up logging
    if how != "command":
        assert "imported as __mp_main__ ['--option']" in out.decode()


@pytest.mark.parametrize("kind", ["sleeping", "stubborn", "native"])
async def test_no_process_outlives_its_worker(
    shared_server: ServerProcess, tmp_path: Path, kind: str
) -> None:
    """Nothing is left even if the worker is killed: neither the handler, whatever it does, nor its children."""
    async with (
        started("worker", "tests.support.isolated:worker", address=shared_server.address, cwd=ROOT) as worker,
        Client(shared_server.address) as client,
    ):
        path = tmp_path / "pids"
        job = await client.submit(f"isolated-{kind}", {"path": str(path)})
        pids = await (pids_in(path) if kind == "native" else pids_of(client, job.job_id))
        assert not any(map(is_gone, pids))
        worker.signal(signal.SIGKILL)
        await worker.end()
        await all_gone(pids)


async def test_a_fork_that_holds_the_pipes_does_not_hide_the_death_of_the_worker(
    shared_server: ServerProcess,
) -> None:
    """A fork of the worker holds its pipe ends open, so that their closing does not show the worker's death."""
    async with (
        started("worker", "tests.support.isolated:worker", address=shared_server.address, cwd=ROOT) as worker,
        Client(shared_server.address) as client,
    ):
        job = await client.submit("isolated-sleeping")
        pids = await pids_of(client, job.job_id)
        job = await client.submit("isolated-inheriting")
        _, heir = await pids_of(client, job.job_id)
        worker.signal(signal.SIGKILL)
        try:
            await all_gone(pids)
            assert not is_gone(heir)
        finally:
            os.kill(heir, signal.SIGKILL)
            await worker.end()


async def test_a_script_has_to_say_when_it_is_run(shared_server: ServerProcess, tmp_path: Path) -> None:
    """A script that runs its worker on import would do so in each process: the job fails with that reason."""
    script = tmp_path / "unguarded.py"
    script.write_text(
        dedent(
            """
            from milepost.client import Worker

            worker = Worker()

            @worker.job("isolated-unguarded", run="process")
            def handler(job): ...

            worker.main()
            """
        )
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script)), env={**os.environ, "MILEPOST_ADDRESS": shared_server.address}
    )
    try:
        async with Client(shared_server.address) as client:
            job = await client.submit("isolated-unguarded")
            with pytest.raises(JobFailed) as caught:
                await client.result(job.job_id)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()

    assert caught.value.failure.code == "HANDLER_NOT_LOADED"
    assert 'only under `if __name__ == "__main__":`' in caught.value.failure.message


async def test_a_signal_from_elsewhere_is_for_the_worker(
    shared_server: ServerProcess, tmp_path: Path
) -> None:
    """If all processes get SIGTERM, as under systemd, the job may still finish."""
    async with at_bench(shared_server.address, isolated.deaf) as bench:
        job = await bench.submit({"path": str(tmp_path / "end")})
        (pid,) = await bench.pids(job.job_id)
        os.kill(pid, signal.SIGTERM)
        (tmp_path / "end").touch()
        job, events = await bench.end(job.job_id)

    assert (job.state, dict(job.result.items())) == (JobState.JOB_STATE_SUCCEEDED, {"cancelled": False})
    assert lines(events) == [isolated.PIDS]
