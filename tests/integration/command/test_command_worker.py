"""`milepost worker` in a child process."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import dedent

import click
import pytest

from milepost.client import Client
from milepost.v1 import JobState
from tests.support.command import milepost, started, terminal
from tests.support.forking import Forkery
from tests.support.reflowing import ReflowingTerminal
from tests.support.server import ServerProcess
from tests.support.token_files import Tokens


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """A client of a server of the test's own."""
    async with Client(server.address) as connected:
        yield connected


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A directory with a module ``jobs`` with workers."""
    (tmp_path / "jobs.py").write_text(
        dedent(
            """
            import asyncio
            from milepost.client import Client, Worker

            worker = Worker()
            at_import = Client()
            elsewhere = Worker("127.0.0.1:1", worker_id="elsewhere")
            idle = Worker()

            class nested:
                worker = worker

            @worker.job("greet")
            @elsewhere.job("greet")
            async def greet(job):
                print("greeting", flush=True)
                return {"greeting": f"Hello {job.input['name']}"}

            async def subject(job):
                async with Client() as client:
                    return {"in handler": (await client.whoami()).subject}

            @worker.job("task")
            async def task(job):
                return {**await subject(job), "at import": (await at_import.whoami()).subject}

            worker.job("process", run="process")(subject)

            @worker.job("wait")
            async def wait(job):
                async with job.stage("wait"):
                    await asyncio.sleep(job.input.get("seconds", 3600))
                return {}
            """
        )
    )
    (tmp_path / "broken.py").write_text("raise KeyError('no such setting')")
    return tmp_path


async def test_a_worker_of_a_module_in_the_working_directory(
    server: ServerProcess, client: Client, module: Path
) -> None:
    """It runs jobs, and exits with 0 on SIGTERM; its log on stderr is JSON."""
    async with started("worker", "jobs:worker", address=server.address, cwd=module) as working:
        job = await client.submit("greet", {"name": "Ann"})
        result = await client.result(job.job_id)
        working.signal(signal.SIGTERM)
        outcome = await working.end()
    events = [json.loads(line)["event"] for line in outcome.err.splitlines()]

    assert result == {"greeting": "Hello Ann"}
    assert (outcome.status, outcome.out) == (0, "greeting\n")
    assert any(server.address in event for event in events)


async def test_command_line_options_override_the_code(
    server: ServerProcess, client: Client, module: Path
) -> None:
    """Server, worker id and concurrency from the command line take precedence."""
    async with started(
        *(
            "worker",
            "jobs:elsewhere",
            "--address",
            server.address,
            "--worker-id",
            "here",
            "--concurrency",
            "2",
        ),
        cwd=module,
    ):
        job = await client.submit("greet", {"name": "Ann"})
        await client.result(job.job_id)

        assert (await client.get(job.job_id)).worker_id == "here"


@pytest.mark.parametrize("where", ["option", "named", "current"])
async def test_clients_of_handlers_have_the_server_of_the_worker(
    where: str, module: Path, monkeypatch: pytest.MonkeyPatch, forkery: Forkery
) -> None:
    """By options or by a context, with its credentials, in the worker's process and in that of a handler.

    A client that the module makes at import has it, too, but for the current context, which may not hold for the code.
    """
    monkeypatch.setenv("XDG_CONFIG_HOME", str(module / "config"))
    known = Tokens(module / "tokens.toml")
    token = module / "token"
    token.write_text(known.add("gpu", ["*"], "admin"))
    with ServerProcess(module / "data", "--tokens", str(known.path), forkery=forkery) as server:
        here = ("--address", server.address, "--token-file", str(token))
        await milepost("context", "set", "there", *here)
        if where == "current":
            await milepost("context", "use", "there")
        options = {"option": here, "named": ("--context", "there"), "current": ()}[where]
        async with (
            started("worker", "jobs:worker", *options, cwd=module),
            Client(server.address, token=token.read_text()) as client,
        ):
            kinds = ["process"] if where == "current" else ["process", "task"]
            jobs = [await client.submit(kind) for kind in kinds]
            results = [await client.result(job.job_id) for job in jobs]
    everywhere = {"in handler": "gpu", "at import": "gpu"}
    assert results == [{"in handler": "gpu"}, everywhere][: len(kinds)]


async def test_option_defaults_do_not_override_the_code(client: Client, module: Path) -> None:
    """A default of the command does not override the worker's arguments."""
    async with started("worker", "jobs:elsewhere", cwd=module) as working:
        await working.says("127.0.0.1:1")


async def test_a_worker_that_cannot_connect_says_so_once(tmp_path: Path, module: Path) -> None:
    """It logs the outage once, not for each retry, and the connection once it is up."""
    with ServerProcess(tmp_path / "data") as server:
        address = server.address
        async with started("worker", "jobs:worker", address=address, cwd=module) as running:
            await running.says("is connected to")
            server.kill()
            await running.says("lost the connection to the server at")
            async with started("worker", "jobs:worker", address=address, cwd=module) as late:
                await late.says("cannot connect to the server at")
                server.restart()
                await late.says("is connected to")
                await running.says("again, after")
                late.signal(signal.SIGTERM)
                result = (await late.end()).err
            running.signal(signal.SIGTERM)
            lost = (await running.end()).err
    events = [json.loads(line)["event"] for line in result.splitlines()]

    assert events[0] == (f"cannot connect to the server at {address}: connection refused; retrying")
    assert len([event for event in events if "connect" in event]) == 2
    assert "ipv4" not in result + lost
    assert lost.count("lost the connection") == 1


async def test_on_a_terminal_a_worker_logs_for_people(module: Path) -> None:
    """With the time of day, like the server."""
    env = {"PYTHONPATH": str(module), "NO_COLOR": "1"}
    async with terminal("worker", "jobs:worker", address="127.0.0.1:1", env=env) as shown:
        await shown.shows(lambda text: "retrying" in text)
        text = shown.text

    assert re.search(
        r"^\d\d:\d\d:\d\d \[warning *\] cannot connect to the server at 127\.0\.0\.1:1: connection", text
    )


async def test_log_lines_come_above_bars(server: ServerProcess, client: Client, tmp_path: Path) -> None:
    """On a terminal log lines and warnings come above bars."""
    (tmp_path / "bars.py").write_text(
        dedent(
            """
            import logging, warnings
            from milepost.client import Worker
            from milepost.client.tqdm import tqdm

            worker = Worker()

            @worker.job("bars")
            def bars(job):
                for step in tqdm(range(2), desc="steps", mininterval=0, ncols=40):
                    logging.getLogger("bars").warning("step %d", step)
                    warnings.warn(f"beware {step}")
            """
        )
    )
    env = {"PYTHONPATH": str(tmp_path), "NO_COLOR": "1"}
    async with terminal("worker", "bars:worker", address=server.address, env=env, columns=200) as shown:
        job = await client.submit("bars")
        await client.result(job.job_id)
        await shown.shows(lambda text: "succeeded after" in text)
        screen = ReflowingTerminal(200)
        screen.write(shown.raw)
    rows = [re.sub(r"^[0-9:]+ ", "", row) for row in screen.rows]

    assert [row[:11] for row in rows if row.startswith("steps:")] == ["steps: 100%"]
    for text in ("step 0", "beware 0", "step 1", "beware 1"):
        assert [row.startswith("[warning") for row in rows if text in row] == [True]


async def test_a_worker_that_stops_gives_its_jobs_back(
    server: ServerProcess, client: Client, module: Path
) -> None:
    """A job that does not end within the drain timeout is released to another worker."""
    async with started(
        "worker", "jobs:nested.worker", "--drain-timeout", "0", address=server.address, cwd=module
    ) as working:
        await client.submit("wait", job_id="j")
        async for event in client.watch("j"):
            if event.HasField("stage_started"):
                break
        working.signal(signal.SIGINT)
        outcome = await working.end()
    job = await client.get("j")

    assert outcome.status == 0
    assert (job.state, job.failure.code) == (JobState.JOB_STATE_QUEUED, "RELEASED")


@pytest.mark.parametrize(
    ("expected", "target"),
    [
        ("'jobs' is not of the form MODULE:NAME.", "jobs"),
        (
            "nothing:worker cannot be imported: ModuleNotFoundError: No module named 'nothing'",
            "nothing:worker",
        ),
        (
            "jobs:other cannot be imported: AttributeError: module 'jobs' has no attribute 'other'",
            "jobs:other",
        ),
        (
            "a/jobs.py:worker cannot be imported: give the module, as in package.module:worker, and not its file",
            "a/jobs.py:worker",
        ),
        ("broken:worker cannot be imported: KeyError: 'no such setting'", "broken:worker"),
        ("jobs:greet is not a Worker, but of type function.", "jobs:greet"),
        ("jobs:idle has no handlers: decorate some with @idle.job(kind).", "jobs:idle"),
    ],
)
async def test_a_worker_that_cannot_be_run(module: Path, expected: str, target: str) -> None:
    """One line with the reason, and no traceback."""
    outcome = await milepost("worker", target, cwd=module)

    assert (outcome.status, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert outcome.err.startswith(f"Error: Invalid value for 'MODULE:NAME': {expected}")


_OF_PYTHON = "is a module of Python's standard library; give yours another name."


@pytest.mark.parametrize(
    ("expected", "target"),
    [
        (f"queue:worker cannot be imported: 'queue' {_OF_PYTHON}", "queue:worker"),
        (f"json.jobs:worker cannot be imported: 'json' {_OF_PYTHON}", "json.jobs:worker"),
        (f"time:worker cannot be imported: 'time' {_OF_PYTHON}", "time:worker"),
        (f"queue:Queue is not a Worker, but of type type: 'queue' {_OF_PYTHON}", "queue:Queue"),
        (
            (
                f"click:worker cannot be imported: a module 'click' was imported before, "
                f"from {click.__file__}; give yours another name."
            ),
            "click:worker",
        ),
    ],
    ids=["imported", "a package", "built in", "no worker", "installed"],
)
async def test_a_module_whose_name_another_one_has(tmp_path: Path, expected: str, target: str) -> None:
    """Python imports the other one, as the command needs it itself: the error says so, and what to do."""
    source = (
        "from milepost.client import Worker\n\nworker = Worker()\nworker.job('greet')(lambda job: None)\n"
    )
    for name in ("queue", "time", "click", "json/__init__", "json/jobs"):
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)
    outcome = await milepost("worker", target, cwd=tmp_path)

    assert (outcome.status, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert outcome.err.startswith(f"Error: Invalid value for 'MODULE:NAME': {expected}")


async def test_a_spool_that_cannot_be_used(module: Path) -> None:
    """One line with the directory and the reason."""
    (module / "file").touch()
    outcome = await milepost("worker", "jobs:worker", "--spool", "file/spool", cwd=module)

    assert (outcome.status, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert outcome.err.startswith(
        "Error: Invalid value for '--spool': 'file/spool' cannot be used: Not a directory. "
    )


async def test_a_certificate_of_the_module_that_cannot_be_read(module: Path) -> None:
    """One line with the file and the reason, which is not the spool's."""
    with (module / "jobs.py").open("a") as file:
        file.write('encrypted = Worker("127.0.0.1:1", tls_ca="absent.pem")\nencrypted.job("greet")(greet)\n')
    outcome = await milepost("worker", "jobs:encrypted", "--spool", "spool", cwd=module)

    assert (outcome.status, outcome.out, outcome.err) == (
        2,
        "",
        "Error: 'absent.pem' cannot be used: No such file or directory.\n",
    )
