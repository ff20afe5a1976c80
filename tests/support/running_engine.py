"""The engines of pipelines, with what they need: a broker, an engine for tests, and a process that runs the jobs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.reaping import forget, reap_later
from tests.support.redis_server import RedisServer

__all__ = ["running_engine", "use_engine"]

# Seconds for a process to stop by itself.
_STOP_TIMEOUT: Final = 30.0


@contextlib.contextmanager
def running_engine(
    engine: str, directory: Path, address: str, module: str, kinds: int
) -> Iterator[dict[str, str]]:
    """Run the pipeline of a module under an engine; yield the environment for those who submit to it.

    The process logs to ``<engine>.log`` in the directory. Hatchet knows a task once a worker has it, so with Hatchet
    this waits for the workers of all ``kinds``.
    """
    with contextlib.ExitStack() as stack:
        environment = {"MILEPOST_ADDRESS": address, "MILEPOST_ENGINE": engine}
        if engine == "celery":
            broker = stack.enter_context(RedisServer(directory / "redis"))
            environment["CELERY_BROKER_URL"] = broker.url
        hatchet = stack.enter_context(HatchetServer()) if engine == "hatchet" else None
        environment |= hatchet.environment if hatchet is not None else {}
        stack.enter_context(_process(module, directory / f"{engine}.log", environment))
        if hatchet is not None:
            hatchet.engine.wait_for(lambda: len(hatchet.engine.workers) == kinds)
        yield environment


def use_engine(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead this process to an engine."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@contextlib.contextmanager
def _process(module: str, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    others = {k: v for k, v in os.environ.items() if not k.startswith(("MILEPOST_", "HATCHET_", "CELERY_"))}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**others, **environment},
            start_new_session=True,
        )
    reap_later(process.pid)
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(_STOP_TIMEOUT) == 0, log.read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        forget(process.pid)
