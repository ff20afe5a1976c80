"""Run ``milepost exec``."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from milepost.client import JobSnapshot, SyncClient
from milepost.v1 import Event
from tests.support.command import environment
from tests.support.server import MILEPOST


class Exec:
    """``milepost exec`` at a server, with a kind of its own."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = SyncClient(address)
        self.kind = f"exec-{uuid.uuid4().hex}"

    def start(
        self, *arguments: str | Path, launcher: tuple[str, ...] = (), **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start the command, by the launcher if there is one."""
        return subprocess.Popen(
            [*launcher, MILEPOST, "exec", *map(str, arguments)],
            env=environment(self.address),
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                **options,
            },
        )

    def run(
        self, *command: str, options: tuple[str, ...] = (), stdin: bytes = b""
    ) -> tuple[int, bytes, bytes]:
        """Run the command as a job of the kind; return its status, stdout and stderr."""
        process = self.start("--kind", self.kind, *options, "--", *command, stdin=subprocess.PIPE)
        out, err = process.communicate(stdin, timeout=120)
        return process.returncode, out, err

    @property
    def job(self) -> JobSnapshot:
        """The newest job of the kind."""
        return next(self.client.list(kinds=[self.kind], page_size=1))

    def events(self) -> list[Event]:
        """The events of the newest job."""
        return list(self.client.watch(self.job.job_id, follow=False))

    def lines(self) -> list[tuple[int, str]]:
        """Severity and text of its log lines."""
        return [
            (event.log_written.severity, event.log_written.text)
            for event in self.events()
            if event.HasField("log_written")
        ]


def first_line(process: subprocess.Popen[bytes]) -> str:
    """Wait for the first line of output."""
    assert process.stdout is not None
    return process.stdout.readline().decode().rstrip("\n")


def end(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Wait for the end; return the status and the remaining output."""
    out, _ = process.communicate(timeout=120)
    return process.returncode, out


def runs(pid: int) -> bool:
    """Whether the process exists and has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; the time limit is only against hangs."""
    guard = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < guard
        time.sleep(0.01)


def feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write to the command's stdin."""
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


def says(process: subprocess.Popen[bytes], text: str) -> None:
    """Wait until stderr has a line with the text."""
    assert process.stderr is not None
    assert any(text.encode() in line for line in iter(process.stderr.readline, b""))
