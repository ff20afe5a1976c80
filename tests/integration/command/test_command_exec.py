"""``milepost exec``: any command as a job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from milepost.client._cli.main import run
from milepost.v1 import Dispatch, Severity, StageState
from tests.support.command import terminal
from tests.support.executing import Exec, end, first_line, runs
from tests.support.rpc import state_name
from tests.support.server import ServerProcess

PYTHON = (sys.executable, "-u", "-c")
INFO, WARNING = Severity.SEVERITY_INFO, Severity.SEVERITY_WARNING


def test_output_is_forwarded_and_logged(at: Exec) -> None:
    """Unchanged to the last byte, and line by line in the job's log. The command gets its input and job id."""
    program = (
        "import os, sys\n"
        "os.write(1, sys.stdin.buffer.read() + b'\\xff\\x00\\n' + os.environ['MILEPOST_JOB_ID'].encode())\n"
        "os.write(2, b'careful\\n\\n')\n"
    )
    result = at.run(*PYTHON, program, options=("-l", "team=a", "-s", "n=3"), stdin=b"one\r\ntwo\n")

    assert result == (0, b"one\r\ntwo\n\xff\x00\n" + at.job.job_id.encode(), b"careful\n\n")
    assert (
        state_name(at.job),
        dict(at.job.labels),
        dict(at.job.input.items()),
        at.client.result(at.job.job_id),
    ) == ("SUCCEEDED", {"team": "a"}, {"n": 3}, {"exit_status": 0})
    lines = at.lines()
    assert [line for line in lines if line[0] == INFO] == [
        (INFO, "one"),
        (INFO, "two"),
        (INFO, "\ufffd\x00"),
        (INFO, at.job.job_id),
    ]
    assert [line for line in lines if line[0] == WARNING] == [(WARNING, "careful")]


@pytest.mark.parametrize(
    ("status", "code", "message", "detail", "command"),
    [
        (
            3,
            "EXIT_STATUS",
            "The command exited with status 3.",
            "one\ntwo",
            "echo one >&2; echo two >&2; exit 3",
        ),
        (137, "SIGKILL", "The command was ended by SIGKILL; its exit status is 137.", "", "kill -9 $$"),
    ],
)
def test_a_command_that_fails(
    at: Exec, status: int, code: str, message: str, detail: str, command: str
) -> None:
    """Its status is that of `exec`, as in a shell; the job's failure has the last lines of stderr."""
    assert status == at.run("sh", "-c", command)[0]
    failure = at.job.failure
    assert ("FAILED", code, message, detail) == (
        state_name(at.job),
        failure.code,
        failure.message,
        failure.detail,
    )


@pytest.mark.parametrize(
    ("status", "code", "command"),
    [(127, "COMMAND_NOT_FOUND", "no-such-command"), (126, "COMMAND_NOT_STARTED", "/dev/null")],
)
def test_a_command_that_cannot_be_run(at: Exec, status: int, code: str, command: str) -> None:
    """The statuses of a shell, and a line with the reason; the job fails."""
    found, out, err = at.run(command)

    assert (status, b"", code) == (found, out, at.job.failure.code)
    assert err.decode().startswith(f"Error: {command} cannot be run: ")


def test_progress_of_a_bar(at: Exec) -> None:
    """Overwritten states of a bar become progress, not log lines."""
    program = (
        "import sys, time\n"
        "for n in range(0, 101, 25): sys.stderr.write(f'\\r{n}%'); sys.stderr.flush()\n"
        "sys.stderr.write(' done\\n')\n"
    )
    at.run(*PYTHON, program, options=("--progress-from", "percent", "--stage", "load"))

    (stage,) = at.job.stages
    assert (
        stage.stage_id,
        stage.current,
        stage.total,
        stage.state,
    ) == ("load", 100, 100, StageState.STAGE_STATE_SUCCEEDED)
    assert at.lines() == [(WARNING, "100% done")]


def test_progress_by_json(at: Exec) -> None:
    """Progress lines are not logged; others are. The progress of a failed command stays."""
    program = (
        'echo \'{"stage": "a", "current": 2, "total": 4, "message": "two"}\'; '
        'echo \'{"stage": "no stage", "fraction": 0.5}\'; echo \'{"fraction": 0.25}\'; exit 1'
    )
    at.run("sh", "-c", program, options=("--progress-from", "json"))

    assert [
        (stage.stage_id, stage.current, stage.total, stage.message, stage.state) for stage in at.job.stages
    ] == [
        ("a", 2, 4, "two", StageState.STAGE_STATE_FAILED),
        ("run", 0.25, 1, "", StageState.STAGE_STATE_FAILED),
    ]
    assert at.lines() == [(INFO, '{"stage": "no stage", "fraction": 0.5}')]


# Prints its pid and its child's, and then waits until it is killed.
FAMILY = """
import os, signal, sys, time
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(os.getpid(), child)
while True:
    time.sleep(60)
"""


@pytest.mark.parametrize(("hears", "expected"), [("well", 143), ("deaf", 137)])
def test_a_cancelled_job_stops_the_whole_group(at: Exec, hears: str, expected: int) -> None:
    """With SIGTERM, and with SIGKILL after the grace period; then no process is left, and the job is CANCELLED."""
    process = at.start("--kind", at.kind, "--", *PYTHON, FAMILY, hears)
    pids = [int(pid) for pid in first_line(process).split()]
    # Of four seconds one is reserved to report the end, the maximum.
    at.client.cancel(at.job.job_id, grace_period=4 if hears == "deaf" else 30)
    status, _ = end(process)

    assert (status, [runs(pid) for pid in pids]) == (expected, [False, False])
    assert (state_name(at.job), at.job.cancellation.forced) == ("CANCELLED", False)
    assert at.lines()[1:] == []


def test_exec_has_its_own_grace_period(at: Exec) -> None:
    """However long the cancellation's grace period is. An orphaned child has the grace period, then it is killed."""
    program = f"trap 'exit 9' TERM; {sys.executable} -u -c '{FAMILY}' deaf & wait"
    process = at.start("--kind", at.kind, "--grace", "0.2", "--", "sh", "-c", program)
    pids = [int(pid) for pid in first_line(process).split()]
    at.client.cancel(at.job.job_id)

    assert end(process) == (9, b"")
    assert ([runs(pid) for pid in pids], state_name(at.job)) == ([False, False], "CANCELLED")


def test_a_command_that_cleans_up(at: Exec) -> None:
    """Its output while it stops is passed on and logged; a command that exits with 0 was still cancelled."""
    program = (
        "trap 'echo cleaning; sleep 0.1; echo clean; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    )
    process = at.start("--kind", at.kind, "--", "sh", "-c", program)
    assert first_line(process) == "ready"
    at.client.cancel(at.job.job_id)

    assert end(process) == (0, b"cleaning\nclean\n")
    assert state_name(at.job) == "CANCELLED"
    # What the shell says of its child, which has heard as well, is its own affair.
    assert [text for severity, text in at.lines() if severity == INFO] == ["ready", "cleaning", "clean"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_forwarded_to_the_command(at: Exec, number: signal.Signals) -> None:
    """The command decides what they mean."""
    program = f"trap 'echo heard; exit 7' {number.name.removeprefix('SIG')}; echo ready; while :; do sleep 0.05; done"
    process = at.start("--kind", at.kind, "--", "sh", "-c", program)
    assert first_line(process) == "ready"
    process.send_signal(number)

    assert end(process) == (7, b"heard\n")
    assert (state_name(at.job), at.job.failure.code) == ("FAILED", "EXIT_STATUS")


def test_an_existing_job_is_claimed(at: Exec) -> None:
    """It is claimed by its id; if that is refused, nothing is run."""
    job_id = at.client.submit(at.kind, dispatch=Dispatch.DISPATCH_EXTERNAL).job_id
    first = at.start("--job-id", job_id, "echo", "ran")
    assert end(first) == (0, b"ran\n")
    assert (state_name(at.job), at.client.result(job_id)) == ("SUCCEEDED", {"exit_status": 0})

    queued = at.client.submit(at.kind).job_id
    for status, other in ((2, job_id), (2, queued), (4, "no-such-job")):
        assert (status, b"") == end(at.start("--job-id", other, "echo", "ran"))
    at.client.cancel(queued)


@pytest.mark.parametrize(
    ("expected", "arguments"),
    [
        ("Give either --kind, for a new job, or --job-id", ("true",)),
        ("Give either --kind, for a new job, or --job-id", ("--kind", "k", "--job-id", "j", "true")),
        ("are for a new job", ("--job-id", "j", "--owner", "ann", "true")),
        ("is not a regular expression", ("--kind", "k", "--progress-from", "regex:(", "true")),
        ("is not the id of a stage", ("--kind", "k", "--stage", "a b", "true")),
        ("Missing argument", ("--kind", "k")),
    ],
)
def test_wrong_options_create_no_job(
    expected: str, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are refused before anything starts."""
    assert run(["exec", *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_an_unreachable_server_stops_exec(tmp_path: Path) -> None:
    """Without a server the command is not run."""
    nowhere = Exec("127.0.0.1:1")
    with nowhere.client:
        status, out, err = nowhere.run("touch", str(tmp_path / "ran"), options=("--connect-timeout", "0"))

    assert (status, out, (tmp_path / "ran").exists()) == (5, b"", False)
    assert b"cannot be reached" in err


def test_a_lost_server_does_not_stop_the_command(server: ServerProcess) -> None:
    """The command goes on without it, and its reports are delivered when it is back (rules 14 and 15)."""
    at = Exec(server.address)
    with at.client:
        process = at.start(
            "--kind",
            at.kind,
            "--",
            "sh",
            "-c",
            "echo ready; read line; echo $line; cat",
            stdin=subprocess.PIPE,
        )
        assert first_line(process) == "ready"
        server.kill()
        assert process.stdin is not None
        process.stdin.write(b"on its own\n")
        process.stdin.flush()
        assert first_line(process) == "on its own"
        server.restart()
        while (INFO, "on its own") not in at.lines():
            time.sleep(0.01)

        assert end(process) == (0, b"")
        assert at.lines() == [(INFO, "ready"), (INFO, "on its own")]
        assert (state_name(at.job), at.job.attempt) == ("SUCCEEDED", 1)


def test_a_killed_exec_loses_its_job(tmp_path: Path) -> None:
    """Then the lease expires, and the job is LOST."""
    with ServerProcess(tmp_path / "data", "--lease-ttl", "1") as server:
        at = Exec(server.address)
        with at.client:
            process = at.start("--kind", at.kind, "--", "sh", "-c", "echo $$; exec sleep 60")
            pid = int(first_line(process))
            process.kill()
            try:
                *_, job = at.client.follow(at.job.job_id)
                assert state_name(job) == "LOST"
            finally:
                os.kill(pid, signal.SIGKILL)
                end(process)


def test_background_processes_are_not_waited_for(at: Exec) -> None:
    """Background processes are not waited for, as in a shell."""
    status, out, _ = at.run("sh", "-c", "sleep 60 & echo $!")
    pid = int(out)
    try:
        assert (status, runs(pid), state_name(at.job)) == (0, True, "SUCCEEDED")
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_closed_pipe_reaches_the_command(at: Exec) -> None:
    """The command gets SIGPIPE, as without exec."""
    process = at.start("--kind", at.kind, "sh", "-c", "while echo y; do sleep 0.05; done")
    assert first_line(process) == "y"
    assert process.stdout is not None
    process.stdout.close()

    assert process.wait(120) == 141
    assert (state_name(at.job), at.job.failure.code) == ("FAILED", "SIGPIPE")
    assert process.stderr is not None
    process.stderr.close()


def test_a_full_pipe_does_not_block_cancellation(at: Exec) -> None:
    """A full pipe blocks the command, but not the cancellation of its job."""
    process = at.start("--kind", at.kind, "sh", "-c", "echo y; head -c 1000000 /dev/zero; sleep 60")
    assert first_line(process) == "y"
    at.client.cancel(at.job.job_id)

    assert process.wait(120) == 143
    assert (state_name(at.job), at.job.cancellation.forced) == ("CANCELLED", False)
    end(process)


async def test_on_a_terminal(shared_server: ServerProcess) -> None:
    """Output appears at once; the command's stdin is empty."""
    program = "sh", "-c", "printf '1%%'; cat; printf '\\r2%%'; echo"
    async with terminal("exec", "--kind", "shown", *program, address=shared_server.address) as shown:
        await shown.shows(lambda text: "2%" in text)
        assert await shown.process.wait() == 0

    assert shown.raw == "1%\r2%\r\n"
