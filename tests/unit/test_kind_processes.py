"""Processes for kinds of jobs: forked, signalled and waited for together."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SCRIPT = """
import os, sys, time
from pathlib import Path
from milepost.client.engines.kind_processes import run_for_each

def run(kind):
    Path(kind).write_text(str(os.getpid()))
    if kind == sys.argv[1]:
        while len([path for path in Path().iterdir() if path.read_text()]) < 3:
            time.sleep(0.01)
        raise SystemExit(7)
    while True:
        time.sleep(0.01)  # Python sees a signal that comes just before a sleep only after it

run_for_each(["a", "b", "c"], run)
"""


def _start(directory: Path, failing: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _SCRIPT, failing], cwd=directory)


def _is_gone(path: Path) -> bool:
    return not Path("/proc", path.read_text()).exists()


def test_one_that_fails_ends_the_others_and_gives_its_status(tmp_path: Path) -> None:
    """Nobody is left behind."""
    with _start(tmp_path, "b") as process:
        assert process.wait(120) == 7

    assert [_is_gone(path) for path in tmp_path.iterdir()] == [True] * 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_all_of_them(tmp_path: Path, number: signal.Signals) -> None:
    """And the first process waits for their ends."""
    with _start(tmp_path, "none") as process:
        while len([path for path in tmp_path.iterdir() if path.read_text()]) < 3:
            assert process.poll() is None
        process.send_signal(number)
        process.wait(120)

    assert [_is_gone(path) for path in tmp_path.iterdir()] == [True] * 3


_NO_MORE_PROCESSES = """
import errno, os, signal
from milepost.client.engines import kind_processes

forks, fork = [], os.fork

def limited():
    if len(forks) == 2:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    forks.append(fork())
    return forks[-1]

def run(kind):
    while True:
        signal.pause()

os.fork = limited
before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
try:
    kind_processes.run_for_each(["a", "b", "c"], run)
except BlockingIOError:
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    print(*forks)
"""


def test_one_that_cannot_be_started_ends_the_others(tmp_path: Path) -> None:
    """Nobody would pass them signals any more."""
    command = [sys.executable, "-c", _NO_MORE_PROCESSES]
    output = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=True, timeout=120).stdout
    processes = output.decode().split()
    assert [Path("/proc", process).exists() for process in processes] == [False] * 2


_SIGNAL_WHILE_REAPING = """
import os, signal
from milepost.client.engines import kind_processes

def reaped(reap):
    def reap_and_signal(*arguments):
        result = reap(*arguments)
        if result[0]:
            os.kill(os.getpid(), signal.SIGTERM)
        return result
    return reap_and_signal

def run(kind):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if kind == "a":
        raise SystemExit(7)
    signal.pause()

os.waitpid = reaped(os.waitpid)
kind_processes.run_for_each(["a", "b", "c"], run)
"""


def test_a_signal_while_a_process_is_reaped() -> None:
    """It reaches those that are left, and the first failure is the status."""
    done = subprocess.run(
        [sys.executable, "-c", _SIGNAL_WHILE_REAPING],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr) == (7, "")


_UNWRITTEN = """
import os, sys
from milepost.client.engines.kind_processes import run_for_each

def run(kind):
    os.close(1)
    print("nowhere")

run_for_each(["a", "b"], run)
print("after", file=sys.stderr)
"""


def test_a_process_whose_output_cannot_be_written_ends() -> None:
    """It has failed, and never goes on with the code of its parent."""
    done = subprocess.run(
        [sys.executable, "-c", _UNWRITTEN],
        env={**os.environ, "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr) == (120, "")


_SLOW = """
import os, signal, sys, time
from pathlib import Path
from milepost.client.engines.kind_processes import run_for_each

def run(kind):
    received = []
    signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    Path(kind).touch()
    while not received:
        time.sleep(0.01)
    if kind == "slow":
        while Path("/proc", Path("quick-pid").read_text()).exists():
            time.sleep(0.01)
        time.sleep(0.3)
    else:
        Path("quick-pid").write_text(str(os.getpid()))
    Path(f"{kind}-received").write_text(str(len(received)))

run_for_each(["quick", "slow"], run)
"""


def test_each_gets_a_signal_once(tmp_path: Path) -> None:
    """The end of the first one is no second signal to the others, which would end their jobs at once."""
    (tmp_path / "quick-pid").write_text(str(os.getpid()))
    with subprocess.Popen([sys.executable, "-c", _SLOW], cwd=tmp_path) as process:
        while not ((tmp_path / "quick").exists() and (tmp_path / "slow").exists()):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0

    assert [(tmp_path / f"{kind}-received").read_text() for kind in ("quick", "slow")] == ["1", "1"]


_ON_A_TERMINAL = """
import os, signal, time
from pathlib import Path
from milepost.client.engines.kind_processes import run_for_each

def run(kind):
    received = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: received.append(signal.Signals(number).name))
    Path(kind).touch()
    while "SIGTERM" not in received:
        if received:
            Path(f"{kind}-interrupted").touch()
        time.sleep(0.01)
    Path(f"{kind}-received").write_text(" ".join(received))

run_for_each(["a", "b"], run)
"""


def test_ctrl_c_reaches_each_once(tmp_path: Path) -> None:
    """A terminal sends it to all of them; passed on as well it would be a second one, which ends their jobs at once."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execv(sys.executable, [sys.executable, "-c", _ON_A_TERMINAL])
    try:
        _wait_for(tmp_path / "a", tmp_path / "b")
        os.write(terminal, b"\x03")
        _wait_for(tmp_path / "a-interrupted", tmp_path / "b-interrupted")
        os.kill(pid, signal.SIGTERM)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)

    assert os.waitstatus_to_exitcode(status) == 0
    assert [(tmp_path / f"{kind}-received").read_text() for kind in "ab"] == ["SIGINT SIGTERM"] * 2


def _wait_for(*paths: Path) -> None:
    while not all(path.exists() for path in paths):
        time.sleep(0.01)
