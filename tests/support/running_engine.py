"""The engines of pipelines, with what they need: a broker, an engine for tests, and a process that runs the jobs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.reaping import forget, reap_later
from tests.support.redis_server import RedisServer

__all__ = [
    "engine_process",
    "engine_services",
    "running_engine",
    "stop_process",
    "use_engine",
    "wait_for_workers",
]

# Seconds for a process to stop by itself.
_STOP_TIMEOUT: Final = 120.0


@contextlib.contextmanager
def running_engine(
    engine: str, directory: Path, address: str, module: str, kinds: int
) -> Iterator[dict[str, str]]:
    """Run the pipeline of a module under an engine; yield the environment for those who submit to it.

    The process logs to ``<engine>.log`` in the directory. Hatchet knows a task once a worker has it, so with Hatchet
    this waits for the workers of all ``kinds``.
    """
    with (
        engine_services(engine, directory, address) as (environment, hatchet),
        engine_process((module,), directory / f"{engine}.log", environment) as process,
    ):
        wait_for_workers(hatchet, kinds)
        yield environment
        stop_process(process)


@contextlib.contextmanager
def engine_services(
    engine: str, directory: Path, address: str
) -> Iterator[tuple[dict[str, str], HatchetServer | None]]:
    """What an engine needs beside its process: the environment that leads to it, and the engine if it is Hatchet."""
    with contextlib.ExitStack() as stack:
        environment = {"MILEPOST_ADDRESS": address, "MILEPOST_ENGINE": engine}
        if engine == "celery":
            broker = stack.enter_context(RedisServer(directory / "redis"))
            environment["CELERY_BROKER_URL"] = broker.url
        hatchet = stack.enter_context(HatchetServer()) if engine == "hatchet" else None
        environment |= hatchet.environment if hatchet is not None else {}
        yield environment, hatchet


def wait_for_workers(hatchet: HatchetServer | None, kinds: int) -> None:
    """Wait until Hatchet has a worker for each kind."""
    if hatchet is not None:
        hatchet.engine.wait_for(lambda: len(hatchet.engine.workers) == kinds)


def use_engine(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead this process to an engine."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@contextlib.contextmanager
def engine_process(
    command: Sequence[str], log: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module, with its arguments; kill it and its children at the end."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(("MILEPOST_", "HATCHET_", "CELERY_"))}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**others, **environment},
            start_new_session=True,
        )
    reap_later(process.pid)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        forget(process.pid)


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """Have it end by itself."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(_STOP_TIMEOUT) == 0
