"""``milepost exec --pty``: a command on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

from milepost.v1 import Severity
from tests.support.executing import Exec, end, feed, first_line, until
from tests.support.rpc import state_name

INFO = Severity.SEVERITY_INFO


def test_a_terminal_for_the_command_alone(at: Exec) -> None:
    """It has a size, with the command in the foreground; stdin is unchanged, and line ends are kept."""
    program = (
        "import os, sys\n"
        "print(os.isatty(1), os.isatty(2), *os.get_terminal_size(1), os.tcgetpgrp(1) == os.getpgrp())\n"
        "print(sys.stdin.read(), os.ttyname(os.open('/dev/tty', os.O_RDWR)) == '/dev/tty', file=sys.stderr)\n"
    )
    status, out, err = at.run(sys.executable, "-c", program, options=("--pty",), stdin=b"given")

    assert (status, out, err) == (0, b"True True 80 24 True\ngiven True\n", b"")
    assert at.lines() == [(INFO, "True True 80 24 True"), (INFO, "given True")]


def test_signals_reach_what_is_in_its_foreground(at: Exec) -> None:
    """As without a terminal."""
    program = "trap 'echo heard; exit 7' INT; echo ready; while :; do sleep 0.05; done"
    process = at.start("--kind", at.kind, "--pty", "--", "sh", "-c", program)
    assert first_line(process) == "ready"
    process.send_signal(signal.SIGINT)

    assert end(process) == (7, b"heard\n")
    assert at.job.failure.detail == "ready\nheard"


def test_a_cancelled_job(at: Exec) -> None:
    """The command can clean up."""
    program = "trap 'echo clean; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    process = at.start("--kind", at.kind, "--pty", "--", "sh", "-c", program)
    assert first_line(process) == "ready"
    at.client.cancel(at.job.job_id)

    status, out = end(process)
    # What the shell says of its child, which has heard as well, is its own affair.
    assert (status, out[-6:], state_name(at.job)) == (9, b"clean\n", "CANCELLED")


def test_a_command_that_is_not_there(at: Exec) -> None:
    """The status is that of a shell."""
    assert at.run("no-such-command", options=("--pty",))[:2] == (127, b"")


def test_it_is_as_wide_as_the_terminal_that_exec_is_on(at: Exec) -> None:
    """Also when the width changes."""
    ours, its = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 50, 0, 0))
    program = 'trap "stty size <&1; exit" WINCH; stty size <&1; while :; do sleep 0.05; done'
    process = at.start(
        "--kind", at.kind, "--pty", "--", "sh", "-c", program, stdout=its, start_new_session=True
    )
    os.close(its)
    try:
        until(lambda: list(at.client.list(kinds=[at.kind])))
        until(lambda: at.lines() == [(INFO, "30 50")])
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
        process.send_signal(signal.SIGWINCH)  # the terminal does so only if it is the controlling one
        assert process.wait(120) == 0
        assert _rest(ours) == b"30 50\r\n20 60\r\n"
    finally:
        os.close(ours)
        end(process)


def _rest(terminal: int) -> bytes:
    """All that was written to a terminal that everybody has closed: the kernel passes it on in parts."""
    parts = []
    with contextlib.suppress(OSError):  # nobody has it open
        while part := os.read(terminal, 100):
            parts.append(part)
    return b"".join(parts)


def test_bars_are_shown_to_programs_that_look_for_a_terminal(at: Exec) -> None:
    """Several redrawn bars are progress of one stage, not log lines."""
    program = (
        r"test -t 1 && printf 'a 1/10\nb 1/10\n'; printf '\033[2A\033[2Ka 3/10\n\033[2Kb 7/10\n'; read x;"
        r"printf '\033[2A\033[2Ka 10/10\n\033[2Kb 10/10\n'"
    )
    process = at.start(
        "--kind",
        at.kind,
        "--pty",
        "--progress-from",
        "auto",
        "--",
        "sh",
        "-c",
        program,
        stdin=subprocess.PIPE,
    )
    until(
        lambda: (
            [(stage.current, stage.total) for job in at.client.list(kinds=[at.kind]) for stage in job.stages]
            == [(10, 20)]
        )
    )
    feed(process, b"\n")
    end(process)

    assert [(stage.current, stage.total) for stage in at.job.stages] == [(20, 20)]
    assert at.lines() == [(INFO, "a 1/10"), (INFO, "b 1/10")]
