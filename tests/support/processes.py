"""Workers of the SDK in child processes, forked from a preloaded process."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.forking import Forked, Forkery

__all__ = ["WorkerProcess", "worker_process"]


class WorkerProcess:
    """``milepost worker``; its stderr goes to ``log_path``."""

    def __init__(self, process: Forked, log_path: Path) -> None:
        self.process = process
        self.log_path = log_path

    def stop(self) -> None:
        """Send SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Send SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def said(self, text: str) -> bool:
        """Whether its log contains the text."""
        return text in self.log_path.read_text()


@contextmanager
def worker_process(
    forkery: Forkery, module: Path, address: str, name: str, concurrency: int = 1
) -> Iterator[WorkerProcess]:
    """Run the ``worker`` of a module under a name; kill it at the end if it still runs."""
    arguments = ["worker", f"{module.stem}:worker", "--worker-id", name, "--concurrency", str(concurrency)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
    environment["MILEPOST_ADDRESS"] = address
    log_path = module.parent / f"{name}.log"
    with log_path.open("w") as log:
        process = forkery.start(arguments, log, environment, module.parent)
    with contextlib.closing(process.stdout):
        try:
            yield WorkerProcess(process, log_path)
        finally:
            process.kill()
            process.wait()
