"""Closed, full, unread and non-blocking stdin, stdout and stderr."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any, Final

import pytest

from milepost.client import Client, JobContext
from milepost.client.errors import Unreachable
from milepost.v1 import Event, JobState
from tests.support.command import Outcome, environment, milepost
from tests.support.ports import free_port
from tests.support.server import MILEPOST, ServerProcess
from tests.support.working import working

_GUARD: Final = 120.0


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"streams-{uuid.uuid4().hex}"


async def run(server: ServerProcess, command: str, redirection: str, **options: Any) -> Outcome:
    """Run the command in a shell with a redirection such as ``>&-``; return the other output."""
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        f'exec "$0" "$@" {redirection}',
        MILEPOST,
        *command.split(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(server.address),
        **options,
    )
    async with asyncio.timeout(_GUARD):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), err.decode())


async def good(job: JobContext) -> dict[str, object]:
    """Return at once."""
    return {"files": 3}


COMMANDS: Final = (
    "--help",
    "--version",
    "list --kind {kind}",
    "list --kind {kind} --output json",
    "get {kind}",
    "get {kind} --output json",
    "watch {kind}",
    "watch {kind} --output json",
    "cancel {kind}",
    "submit {kind}",
    "submit {kind} --wait --output json",
    "submit {kind} --watch",
)


@pytest.fixture
async def ended(shared_server: ServerProcess, kind: str) -> str:
    """A succeeded job with the kind as its id."""
    async with Client(shared_server.address) as client, working(shared_server.address, **{kind: good}):
        await client.submit(kind, job_id=kind)
        await client.result(kind)
    return kind


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
async def test_output_that_cannot_be_written_is_an_error(
    shared_server: ServerProcess, ended: str, redirection: str
) -> None:
    """With its own status and the lost text; never silent, and never a traceback."""
    async with working(shared_server.address, max_concurrency=4, **{ended: good}):
        outcomes = await asyncio.gather(
            *(run(shared_server, command.format(kind=ended), redirection) for command in COMMANDS)
        )

    reason = "No space left on device" if "full" in redirection else "Bad file descriptor"
    for command, outcome in zip(COMMANDS, outcomes, strict=True):
        last = outcome.err.splitlines()[-1]

        assert (command, outcome.status, outcome.out) == (command, 74, "")
        assert last.startswith(f"Error: stdout cannot be written ({reason}). Lost: ")


@pytest.mark.parametrize("redirection", ["2>/dev/full", "<&- 2>&-"])
async def test_without_stderr_the_output_is_the_same(
    shared_server: ServerProcess, ended: str, redirection: str
) -> None:
    """Only the messages on stderr are lost."""
    commands = ["--version", f"list --kind {ended} --output json", f"watch {ended}", f"cancel {ended}"]
    whole = await asyncio.gather(
        *(milepost(*command.split(), address=shared_server.address) for command in commands)
    )
    outcomes = await asyncio.gather(*(run(shared_server, command, redirection) for command in commands))

    assert [(outcome.status, outcome.out) for outcome in outcomes] == [
        (outcome.status, outcome.out) for outcome in whole
    ]
    assert {outcome.status for outcome in outcomes} == {0}


async def test_an_error_without_stderr_has_its_status(shared_server: ServerProcess, kind: str) -> None:
    """Without any output the status remains."""
    everything = "<&- >&- 2>&-"
    outcomes = [
        await run(shared_server, command, everything)
        for command in (f"get {kind}", "watsh", "list --limit x")
    ]

    assert [outcome.status for outcome in outcomes] == [4, 2, 2]


async def test_a_closed_stdin_cannot_be_read(shared_server: ServerProcess, kind: str) -> None:
    """The error names it; nothing is submitted."""
    outcome = await run(shared_server, f"submit {kind} --input -", "<&-")

    assert (outcome.status, outcome.out) == (2, "")
    assert "stdin cannot be read: Bad file descriptor" in outcome.err


async def test_a_pipe_that_does_not_block_loses_nothing(shared_server: ServerProcess, kind: str) -> None:
    """A slow reader gets every line, as from a blocking pipe; stdin likewise waits for the writer."""

    async def many(job: JobContext) -> None:
        for number in range(200):
            job.log(f"{number} {'x' * 2000}")

    ours, its = os.pipe()
    theirs, our_end = os.pipe()
    for descriptor in (its, theirs):
        os.set_blocking(descriptor, False)
    async with Client(shared_server.address) as client, working(shared_server.address, **{kind: many}):
        process = await asyncio.create_subprocess_exec(
            *(MILEPOST, "submit", kind, "--job-id", kind, "--input", "-", "--watch", "--output", "json"),
            stdin=theirs,
            stdout=its,
            stderr=asyncio.subprocess.PIPE,
            env=environment(shared_server.address),
        )
        os.close(its)
        os.close(theirs)
        os.write(our_end, b'{"a": ')
        await asyncio.sleep(0)
        os.write(our_end, b"1}")
        os.close(our_end)
        async for job in client.follow(await submitted(client, kind)):
            pass
        read = await asyncio.to_thread(read_feed, ours)
        _, err = await process.communicate()

    numbers = [
        int(event["logWritten"]["text"].split()[0])
        for event in map(json.loads, read.splitlines())
        if "logWritten" in event
    ]
    # What a queued job waits for goes to stderr, if the worker is not faster.
    others = [line for line in map(json.loads, err.splitlines()) if "waiting" not in line]
    assert (process.returncode, others, numbers) == (0, [], list(range(200)))
    assert job.state == JobState.JOB_STATE_SUCCEEDED


async def submitted(client: Client, kind: str) -> str:
    """Wait for a job of the kind; return its id."""
    async with client.watch_jobs(kinds=[kind]) as watch:
        async for item in watch:
            if isinstance(item, Event):
                return item.job_id
    raise AssertionError


def read_feed(descriptor: int) -> bytes:
    """Read all output."""
    with os.fdopen(descriptor, "rb") as reader:
        return reader.read()


@pytest.mark.parametrize("redirection", ["<&- >&- 2>&-", ">/dev/full 2>/dev/full", "> closed 2> closed"])
async def test_a_server_runs_without_standard_streams(tmp_path: Path, redirection: str, kind: str) -> None:
    """Its files never get a standard stream's number, and failed log writes do not stop it."""
    address = f"127.0.0.1:{free_port()}"
    os.mkfifo(tmp_path / "closed")
    reader = os.open(tmp_path / "closed", os.O_RDONLY | os.O_NONBLOCK)
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        f'exec "$0" "$@" {redirection}',
        MILEPOST,
        *("serve", "--address", address, "--data", tmp_path / "data"),
        env=environment(None),
        cwd=tmp_path,
    )
    async with Client(address) as client:
        async with asyncio.timeout(_GUARD):
            while True:
                try:
                    await client.submit(kind, job_id=kind, request_id=kind)
                except Unreachable:
                    continue
                break
        os.close(reader)
        async with working(address, **{kind: good}):
            result = await client.result(kind)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(_GUARD):
        status = await process.wait()

    assert (status, result) == (0, {"files": 3})
    assert (tmp_path / "data" / "milepost.db").read_bytes()[:15] == b"SQLite format 3"


@pytest.mark.parametrize("redirection", ["<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
async def test_a_worker_runs_without_standard_streams(
    tmp_path: Path, shared_server: ServerProcess, kind: str, redirection: str
) -> None:
    """Failed log writes neither stop it nor fail a job."""
    (tmp_path / "jobs.py").write_text(
        "import logging\n"
        "from milepost.client import Worker\n"
        "worker = Worker()\n"
        f"@worker.job({kind!r})\n"
        "async def handle(job):\n"
        "    logging.getLogger('jobs').warning('at work')\n"
        "    return {'files': 3}\n"
    )
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'exec "$0" "$@" {redirection}', MILEPOST, "worker", "jobs:worker"),
        env=environment(shared_server.address),
        cwd=tmp_path,
    )
    async with Client(shared_server.address) as client:
        await client.submit(kind, job_id=kind)
        result = await client.result(kind, timeout=_GUARD)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(_GUARD):
        status = await process.wait()

    assert (status, result) == (0, {"files": 3})


@pytest.mark.parametrize(
    ("expected", "redirection"),
    [((3, "out\n"), "2>/dev/full"), ((3, "out\n"), "<&- 2>&-")],
)
async def test_exec_without_stderr(
    tmp_path: Path, shared_server: ServerProcess, kind: str, expected: tuple[int, str], redirection: str
) -> None:
    """The command has its output and its status."""
    script = tmp_path / "script"
    script.write_text("echo out; exit 3")
    outcome = await run(shared_server, f"exec --kind {kind} -- sh {script}", redirection)

    assert (outcome.status, outcome.out) == expected
