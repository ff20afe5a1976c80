"""Every exit status of the command, against a real server."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import uuid
from pathlib import Path

import pytest

from milepost.client import Client, JobContext, JobFailure
from milepost.v1 import JobState
from tests.support.command import environment, milepost, started
from tests.support.ports import free_port, give_back
from tests.support.rpc import connect, eventually
from tests.support.server import MILEPOST, ServerProcess
from tests.support.working import working


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


async def good(job: JobContext) -> dict[str, object]:
    """Succeeds."""
    return {"files": 3, "name": "naïve"}


async def bad(job: JobContext) -> None:
    """Fails."""
    raise JobFailure("NO_PATH", "There is no such path.")


async def endless(job: JobContext) -> None:
    """Run until cancelled."""
    async with job.stage("wait"):
        await asyncio.Event().wait()


async def test_success_exits_0(shared_server: ServerProcess, kind: str) -> None:
    """The id and the result go to stdout, events to stderr."""
    async with working(shared_server.address, **{kind: good}):
        outcome = await milepost("submit", kind, "--job-id", kind, "--watch", address=shared_server.address)

    assert (outcome.status, outcome.out) == (0, f'{kind}\n{{"files":3,"name":"naïve"}}\n')
    assert [
        re.sub(r"\d+\.\ds$", "N.Ns", line.split("  ", 1)[1])
        for line in (outcome.err.splitlines()[0], outcome.err.splitlines()[-1])
    ] == [f"{kind} {kind} submitted", "succeeded in N.Ns"]


async def test_failure_exits_1(shared_server: ServerProcess, kind: str) -> None:
    """The reason is the last line."""
    async with working(shared_server.address, **{kind: bad}):
        outcome = await milepost("submit", kind, "--watch", address=shared_server.address)

    assert outcome.status == 1
    assert re.search(r"  failed after \d\.\ds: NO_PATH: There is no such path\.\n$", outcome.err)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("watch",),
        ("watch", "x", "--after", "-1"),
        ("submit", "Not A Kind"),
        ("submit", "k", "--input", "[]"),
        ("submit", "k", "--wait-timeout", "1"),
        ("submit", "k", "--timeout", "10ms"),
        ("get", "no/id"),
        ("list", "--state", "sleeping"),
        ("cancel", "x", "--timeout", "1"),
        ("worker", "json"),
        ("get", "x", "--address", "nowhere"),
    ],
    ids=" ".join,
)
async def test_a_usage_error_exits_2(shared_server: ServerProcess, arguments: tuple[str, ...]) -> None:
    """One line on stderr, whether the command or the server found the error."""
    outcome = await milepost(*arguments, address=shared_server.address)

    assert (outcome.status, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert outcome.err.startswith("Error: ")


async def test_cancellation_exits_3(shared_server: ServerProcess, kind: str) -> None:
    """For `watch`, and for waiting commands."""
    address = shared_server.address
    async with (
        working(address, **{kind: endless}),
        started("submit", kind, "--job-id", kind, "--watch", address=address) as watching,
    ):
        await watching.says("wait: started")
        cancelled = await milepost("cancel", kind, "--reason", "enough", "--wait", address=address)
        watched = await watching.end()

    assert (cancelled.status, cancelled.out, cancelled.err) == (3, f"{kind} cancelled\n", "")
    assert watched.status == 3
    assert "cancellation requested, to stop within 00:30: enough" in watched.err


@pytest.mark.parametrize("command", ["get", "watch", "cancel"])
async def test_a_missing_job_exits_4(shared_server: ServerProcess, command: str) -> None:
    """The error names the id."""
    outcome = await milepost(command, "nobody", address=shared_server.address)

    assert (outcome.status, outcome.out, len(outcome.err.splitlines())) == (4, "", 1)
    assert "nobody" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [("get", "x"), ("watch", "x"), ("watch", "--kind", "k"), ("list",), ("submit", "k"), ("cancel", "x")],
)
async def test_an_unreachable_server_exits_5(arguments: tuple[str, ...]) -> None:
    """The error names the address, and says what to do."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    outcome = await milepost(*arguments, address=address, env={"MILEPOST_CONNECT_TIMEOUT": "0"})
    give_back(port)

    expected = (
        f"Error: The server at {address} cannot be reached (connection refused). "
        "Is `milepost serve` running there? --address names another one.\n"
    )
    assert (outcome.status, outcome.out, outcome.err) == (5, "", expected)


async def test_a_lost_job_exits_6(tmp_path: Path) -> None:
    """Its worker stayed silent."""
    with ServerProcess(tmp_path / "data", "--lease-ttl", "1") as server:
        async with connect(server.address) as rpc, rpc.session() as session:
            job = await rpc.submit()
            await session.take()
            outcome = await milepost("watch", job.job_id, address=server.address)

    assert outcome.status == 6
    assert "lost after" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("submit", "Track"),
            (
                "kind: 'Track' is not valid: a kind is 1 to 64 lower-case ASCII letters, digits, '.', '_' and '-', and "
                "begins with a letter or a digit"
            ),
        ),
        (
            ("submit", "track", "--label", "a b=c"),
            (
                "labels['a b']: 'a b' is not valid: the key of a label is 1 to 63 lower-case ASCII letters, digits, "
                "'.', '_', '/' and '-', and begins with a letter or a digit"
            ),
        ),
        (
            ("get", "a.b"),
            "job_id: 'a.b' is not valid: a job id is 1 to 128 ASCII letters, digits, '_' and '-'",
        ),
    ],
    ids=["kind", "label", "job id"],
)
async def test_the_error_says_in_words_what_a_name_may_be(
    shared_server: ServerProcess, arguments: tuple[str, ...], expected: str
) -> None:
    """It names the field and the value, and shows no regular expression."""
    outcome = await milepost(*arguments, address=shared_server.address)

    assert (outcome.status, outcome.out, outcome.err) == (2, "", f"Error: {expected}\n")


async def test_the_error_says_that_the_server_has_no_tls(shared_server: ServerProcess) -> None:
    """In one line of the command; gRPC's own lines are suppressed."""
    address = shared_server.address
    outcome = await milepost(
        "get", "nowhere", "--tls", address=address, env={"MILEPOST_CONNECT_TIMEOUT": "0"}
    )

    assert (outcome.status, outcome.out) == (5, "")
    assert outcome.err == (
        f"Error: The server at {address} cannot be reached (it does not speak TLS). "
        "Leave out --tls and the options of certificates, or have it serve with --tls-cert.\n"
    )


async def test_the_error_says_that_a_file_for_tls_cannot_be_used(
    shared_server: ServerProcess, tmp_path: Path
) -> None:
    """A bundle without certificates, or a bad key: to gRPC each is a "Failed to create security handshaker"."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    address = shared_server.address
    outcome = await milepost(
        "get", "nowhere", "--tls-ca", str(bundle), address=address, env={"MILEPOST_CONNECT_TIMEOUT": "0"}
    )

    assert (outcome.status, outcome.out) == (5, "")
    assert outcome.err == (
        f"Error: The server at {address} cannot be reached (a certificate or key for TLS is not in PEM). "
        "Look at the files of --tls-ca, --tls-client-cert and --tls-client-key.\n"
    )


async def test_grpc_settings_are_not_inherited_by_commands(shared_server: ServerProcess, kind: str) -> None:
    """Settings for gRPC are not in the environment of a child command."""
    outcome = await milepost("exec", "--kind", kind, "--", "env", address=shared_server.address)

    assert outcome.status == 0
    found = {line.partition("=")[0] for line in outcome.out.splitlines() if line.startswith("GRPC_")}
    assert found == {name for name in os.environ if name.startswith("GRPC_")}


async def test_a_job_timeout_exits_124(shared_server: ServerProcess, kind: str) -> None:
    """Like the command `timeout`; the message says that it was the job's timeout."""
    async with working(shared_server.address, **{kind: endless}):
        outcome = await milepost("submit", kind, "--timeout", "1s", "--wait", address=shared_server.address)

    assert outcome.status == 124
    assert outcome.err.endswith(" failed: Took longer than its timeout of 1 s. (TIMEOUT)\n")


@pytest.mark.parametrize(
    "arguments",
    [("submit", "--watch", "--wait-timeout", "0.2"), ("watch", "--timeout", "200ms")],
    ids=" ".join,
)
async def test_a_command_timeout_exits_124(
    shared_server: ServerProcess, kind: str, arguments: tuple[str, ...]
) -> None:
    """The job continues."""
    async with Client(shared_server.address) as client:
        if arguments[0] == "watch":
            await client.submit(kind, job_id=kind)
            outcome = await milepost(arguments[0], kind, *arguments[1:], address=shared_server.address)
        else:
            outcome = await milepost(
                arguments[0], kind, "--job-id", kind, *arguments[1:], address=shared_server.address
            )
        job = await client.get(kind)

    assert outcome.status == 124
    assert (
        outcome.err.splitlines()[-1]
        == "Error: The job has not ended within 0.2 s (queued, 0%); it continues."
    )
    assert job.state == JobState.JOB_STATE_QUEUED


@pytest.mark.parametrize(("expected", "number"), [(130, signal.SIGINT), (143, signal.SIGTERM)])
async def test_an_interrupted_watch_exits_130(
    shared_server: ServerProcess, kind: str, expected: int, number: signal.Signals
) -> None:
    """It says how to resume; a terminated one is 143. The job is not cancelled (rule 9)."""
    address = shared_server.address
    async with Client(address) as client, working(address, **{kind: endless}):
        job = await client.submit(kind, job_id=kind)
        async with started("watch", kind, address=address) as watching:
            await watching.says("wait: started")
            watching.signal(number)
            outcome = await watching.end()
        job = await client.get(kind)
        await client.cancel(kind)

    assert (outcome.status, outcome.out) == (expected, "")
    assert (
        outcome.err.splitlines()[-1] == f"Stopped watching after event 3; the job continues. To resume: "
        f"milepost watch {kind} --after 3 --epoch {job.epoch}"
    )
    assert job.state == JobState.JOB_STATE_RUNNING


async def test_a_closed_pipe_exits_141(shared_server: ServerProcess, kind: str) -> None:
    """As after a pipe into ``head``; without an error message."""
    address = shared_server.address
    async with Client(address) as client:
        await client.submit(kind, job_id=kind)
        ours, its = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *(MILEPOST, "watch", kind, "--output", "json"),
            stdout=its,
            stderr=asyncio.subprocess.PIPE,
            env=environment(address),
        )
        os.close(its)
        first = await asyncio.to_thread(os.read, ours, 65_536)
        os.close(ours)
        await client.cancel(kind)
        _, err = await process.communicate()

    assert b"jobSubmitted" in first
    assert process.returncode == 141
    assert [line for line in err.splitlines() if not line.startswith(b'{"waiting":')] == []


async def test_only_following_commands_exit_with_the_job_status(
    shared_server: ServerProcess, kind: str
) -> None:
    """Commands that do not follow a job succeed, however the job ended."""
    address = shared_server.address
    async with Client(address) as client, working(address, **{kind: bad}):
        await client.submit(kind, job_id=kind)
        await eventually(lambda: _has_failed(client, kind))
        statuses = [
            (await milepost(*arguments, address=address)).status
            for arguments in (("get", kind), ("list", "--kind", kind), ("cancel", kind))
        ]

    assert statuses == [0, 0, 0]


async def _has_failed(client: Client, job_id: str) -> bool:
    return (await client.get(job_id)).state == JobState.JOB_STATE_FAILED
