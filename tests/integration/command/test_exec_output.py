"""``milepost exec``: the output of a command, its background processes, and its start."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from milepost.v1 import Severity
from tests.support.command import terminal
from tests.support.executing import Exec, end, feed, first_line, runs, until
from tests.support.rpc import state_name
from tests.support.server import ServerProcess

INFO, WARNING = Severity.SEVERITY_INFO, Severity.SEVERITY_WARNING
RECORDINGS = Path(__file__).parents[2] / "unit" / "command" / "recordings"


def test_output_of_background_processes_is_read_for_a_bounded_time(at: Exec) -> None:
    """However much a background process writes, exec ends with the command's status."""
    status, out, _ = at.run("sh", "-c", "(while :; do echo tick; sleep 0.05; done) & echo $!; exit 3")
    (pid,) = (int(line) for line in out.split() if line.isdigit())
    try:
        assert (status, b"tick" in out, runs(pid)) == (3, True, True)
        assert at.job.failure.code == "EXIT_STATUS"
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("closed", [False, True])
def test_background_processes_are_not_killed_by_a_closed_pipe(
    at: Exec, tmp_path: Path, *, closed: bool
) -> None:
    """A background process may write more than a pipe holds. Into a file it writes as without exec."""
    late, log = tmp_path / "late", tmp_path / "log"
    program = f"(read x <{tmp_path}/go; head -c 200000 /dev/zero; echo log; touch {late}) & echo started"
    os.mkfifo(tmp_path / "go")
    with log.open("wb") as file:
        process = at.start(
            "--kind", at.kind, "bash", "-c", program, stdout=subprocess.PIPE if closed else file
        )
        status = process.wait(120)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    (tmp_path / "go").write_text("go\n")
    until(late.exists)

    assert (status, state_name(at.job)) == (0, "SUCCEEDED")
    if not closed:
        until(lambda: log.read_bytes() == b"started\n" + bytes(200_000) + b"log\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_after_the_command_has_ended(at: Exec, number: signal.Signals) -> None:
    """The end of the command ends exec, whatever still holds the output; the job's end is reported."""
    process = at.start("--kind", at.kind, "sh", "-c", "echo $$; head -c 100000 /dev/zero; exit 3")
    pid = int(first_line(process))
    until(lambda: not runs(pid))  # its output is in flight to a reader that does not read
    process.send_signal(number)

    assert process.wait(120) == 3
    assert (state_name(at.job), at.job.failure.code) == ("FAILED", "EXIT_STATUS")
    end(process)


def test_a_slow_reader_gets_all_output(at: Exec) -> None:
    """All output of the command, although it has ended long before."""
    process = at.start("--kind", at.kind, "sh", "-c", "echo $$; head -c 100000 /dev/zero")
    pid = int(first_line(process))
    until(lambda: not runs(pid))

    assert process.stdout is not None
    assert len(process.stdout.read()) == 100_000
    assert end(process) == (0, b"")


def test_lines_are_logged_in_the_order_in_which_they_were_written(at: Exec) -> None:
    """Across stdout and stderr."""
    program = "while read n; do echo out $n; read n; echo err $n >&2; done"
    process = at.start("--kind", at.kind, "sh", "-c", program, stdin=subprocess.PIPE)
    assert process.stderr is not None
    expected = []
    for number in range(20):
        feed(process, f"{number}\n".encode())
        assert first_line(process) == f"out {number}"
        feed(process, f"{number}\n".encode())
        assert process.stderr.readline() == f"err {number}\n".encode()
        expected += [(INFO, f"out {number}"), (WARNING, f"err {number}")]
    end(process)

    assert at.lines() == expected


def test_lost_output_is_an_error(at: Exec) -> None:
    """Lost output is an error, although the command has succeeded."""
    with Path("/dev/full").open("wb") as full:
        process = at.start("--kind", at.kind, "echo", "lost", stdout=full)
    _, err = process.communicate(timeout=120)

    assert (process.returncode, at.lines(), state_name(at.job)) == (74, [(INFO, "lost")], "SUCCEEDED")
    assert err == b"Error: The command's output could not be written: No space left on device.\n"


def test_logged_lines_have_no_control_sequences(at: Exec) -> None:
    """The log has no control sequences or deleted text; the output is passed on unchanged."""
    written = "\033]0;title\007\033[1;31mred\033[0m o\bof\b\bn\n"
    status, out, _ = at.run("printf", "%b", written)

    assert (status, out.decode()) == (0, written)
    assert at.lines() == [(INFO, "red n")]


def test_output_that_cannot_be_handled(at: Exec, tmp_path: Path) -> None:
    """It is passed on unchanged all the same, however much follows, and the command ends as without exec."""
    plugin = tmp_path / "sitecustomize.py"
    plugin.write_text(
        "from milepost.client._cli.exec import job_reporting\n"
        "job_reporting.BarTracker.update = lambda self, line, reading: 1 // (line.text != 'odd')\n"
    )
    process = at.start(
        *("--kind", at.kind, "--", "sh", "-c", "echo odd; seq 50000; exit 3"),
        launcher=("env", f"PYTHONPATH={tmp_path}"),
    )
    out, err = process.communicate(timeout=120)
    assert out.decode().split() == ["odd", *map(str, range(1, 50_001))]
    assert process.returncode == 3
    assert at.job.failure.code == "EXIT_STATUS"
    assert b"ZeroDivisionError" in err


def test_a_slow_reader_of_one_stream_does_not_hold_up_the_other(at: Exec) -> None:
    """As without exec."""
    process = at.start(
        "--kind", at.kind, "sh", "-c", "(head -c 500000 /dev/zero &); sleep 0.1; echo heard >&2"
    )
    assert process.stderr is not None
    assert process.stderr.readline() == b"heard\n"
    process.send_signal(signal.SIGTERM)
    end(process)


def test_a_script_without_a_shebang(at: Exec, tmp_path: Path) -> None:
    """The shell runs it, as a shell would; a binary file is refused."""
    script, binary = tmp_path / "script", tmp_path / "binary"
    script.write_text('echo "$0 $1"\nexit 4\n')
    binary.write_bytes(b"\0\1\2")
    script.chmod(0o700)
    binary.chmod(0o700)

    assert at.run(str(script), "x y")[:2] == (4, f"{script} x y\n".encode())
    assert at.run(str(binary))[:2] == (126, b"")


def test_without_a_server_at_best_effort(tmp_path: Path) -> None:
    """The command runs, and one line says that it has no job."""
    nowhere = Exec("127.0.0.1:1")
    with nowhere.client:
        process = nowhere.start(
            "--kind",
            "k",
            "--best-effort",
            "sh",
            "-c",
            'read line; echo "$line$MILEPOST_JOB_ID"; exit 4',
            stdin=subprocess.PIPE,
        )
        out, err = process.communicate(b"on its own\n", timeout=120)

    assert (process.returncode, out) == (4, b"on its own\n")
    assert err == b"The server at 127.0.0.1:1 is unavailable (connection refused): running without a job.\n"


def test_orphans_are_reaped(at: Exec, tmp_path: Path) -> None:
    """As the first process of a container it is the parent of all orphans."""
    launcher = (
        "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n"  # PR_SET_CHILD_SUBREAPER
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    program = "sh -c 'read x <$0 & echo $!' \"$0\"; read x; exit 5"
    os.mkfifo(tmp_path / "go")
    process = at.start(
        "--kind",
        at.kind,
        "sh",
        "-c",
        program,
        tmp_path / "go",
        stdin=subprocess.PIPE,
        launcher=(sys.executable, "-c", launcher),
    )
    orphan = int(first_line(process))
    until(lambda: psutil.Process(orphan).ppid() == process.pid)
    (tmp_path / "go").write_text("go\n")
    until(lambda: not psutil.pid_exists(orphan))
    feed(process, b"\n")

    assert end(process)[0] == 5


def test_python_output_is_not_buffered(at: Exec) -> None:
    """Its output appears at once, although it is a pipe."""
    process = at.start(
        "--kind", at.kind, sys.executable, "-c", "print('now'); input()", stdin=subprocess.PIPE
    )
    assert first_line(process) == "now"
    feed(process, b"\n")

    assert end(process) == (0, b"")


def test_a_bar_is_not_one_update_behind(at: Exec) -> None:
    """An unfinished line counts, as a person sees it."""
    process = at.start(
        "--kind",
        at.kind,
        "--progress-from",
        "percent",
        "sh",
        "-c",
        r'printf "\r 50%%"; read x',
        stdin=subprocess.PIPE,
    )
    until(lambda: [stage.current for job in at.client.list(kinds=[at.kind]) for stage in job.stages] == [50])
    feed(process, b"\n")

    assert end(process) == (0, b"\r 50%")


def test_a_full_bar_is_not_the_end(at: Exec) -> None:
    """Another phase may follow, so the job is not complete; the new phase is the current stage."""
    process = at.start(
        "--kind",
        at.kind,
        "--progress-from",
        "percent",
        "sh",
        "-c",
        "echo 40%; echo 100%; read x; echo 3%; read x",
        stdin=subprocess.PIPE,
    )
    until(lambda: len(list(at.client.list(kinds=[at.kind]))) == 1 and len(at.lines()) == 2)
    assert at.job.fraction == 0.4
    feed(process, b"\n")
    until(lambda: len(at.job.stages) == 2 and at.job.stages[1].current == 3)

    assert (at.job.fraction < 1, at.job.fraction_known) == (True, False)
    assert [(stage.stage_id, stage.fraction) for stage in at.job.stages] == [("run", 1.0), ("run-2", 0.03)]
    feed(process, b"\n")
    end(process)


def test_phases_are_stages(at: Exec) -> None:
    """Progress that restarts is another stage, and ends the one before. Recorded from `git clone`."""
    at.run("cat", str(RECORDINGS / "git"), options=("--progress-from", "percent", "--stage", "clone"))

    assert [(stage.stage_id, stage.current, stage.total) for stage in at.job.stages] == [
        (stage_id, 100, 100) for stage_id in ("clone", "clone-2", "clone-3", "clone-4")
    ]


@pytest.mark.parametrize("written", ["working", "a line\\n1\\r2", "a line\\n", "é", ""])
async def test_messages_of_exec_start_on_their_own_line(shared_server: ServerProcess, written: str) -> None:
    """On a terminal the command may be in the middle of a line, which is passed on as it is."""
    program = "sh", "-c", f"printf '{written}'; exec sleep 60"
    shown_before = written.replace("\\r", "\r").replace("\\n", "\r\n")
    end = "" if shown_before.endswith("\n") or not shown_before else "\r\n"
    raw, seconds = "", 0
    for seconds in (1, 10):  # a busy machine may take longer than a second to start the command
        options = "--kind", "halfway", "--timeout", f"{seconds}s"
        async with terminal("exec", *options, *program, address=shared_server.address) as shown:
            assert await shown.process.wait() == 124
        raw = shown.raw
        if raw.startswith(shown_before):
            break

    assert raw == f"{shown_before}{end}Error: Took longer than its timeout of {seconds} s.\r\n"


async def test_log_lines_of_exec_start_on_their_own_line(server: ServerProcess, tmp_path: Path) -> None:
    """Though the command is in the middle of a line, and goes on behind it."""
    os.mkfifo(tmp_path / "go")
    program = f"printf begun; read x <{tmp_path}/go; printf 'goes on'; exec sleep 60"
    async with terminal("exec", "--kind", "k", "--", "sh", "-c", program, address=server.address) as shown:
        await shown.shows(lambda text: "begun" in text)
        server.kill()
        await shown.shows(lambda text: "lost the connection" in text)
        await asyncio.to_thread((tmp_path / "go").write_text, "x\n")
        await shown.shows(lambda text: "goes on" in text)

    first, *others = shown.text.splitlines()
    assert first == "begun"
    assert [line for line in others if "goes on" in line] == ["goes on"]
    assert all(re.match(r"\d\d:\d\d:\d\d \[warning", line) for line in others if line != "goes on")
