"""Signals to `milepost exec` while it starts its command."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from milepost.client import JobFailure
from milepost.client._cli.exec import execution
from milepost.client._cli.exec.execution import Execution
from milepost.client._cli.exec.job_reporting import OutputReporter
from milepost.client._cli.exec.process_group import ProcessGroup


@pytest.fixture(autouse=True)
async def restored() -> AsyncIterator[None]:
    """Restore the handlers of this process."""
    yield
    for number in execution._FORWARDED_SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)


class Signalled(ProcessGroup):
    """Gets SIGQUIT as soon as there is a command."""

    def __init__(
        self, command: Sequence[str], output: tuple[int, int] | str, environment: Mapping[str, str]
    ) -> None:
        super().__init__(command, output, environment)
        if signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL:
            self.signal(signal.SIGKILL)
            pytest.fail("It would end this process, and not the command.")
        os.kill(os.getpid(), signal.SIGQUIT)


async def test_a_signal_during_the_start_reaches_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not leave the command alone."""
    monkeypatch.setattr(execution, "ProcessGroup", Signalled)
    cancelled: list[None] = []
    running = Execution(["sleep", "3600"], OutputReporter(None, ""), lambda: cancelled.append(None))
    running.start()
    with pytest.raises(JobFailure, match="was ended by SIGQUIT"):
        await running.wait()

    assert cancelled == []


async def test_a_signal_that_comes_without_a_command_cancels() -> None:
    """As where it could not be started."""
    cancelled = asyncio.Event()
    running = Execution(["/no/such/command"], OutputReporter(None, ""), cancelled.set)
    with pytest.raises(JobFailure, match="cannot be run"):
        running.start()
    os.kill(os.getpid(), signal.SIGQUIT)
    async with asyncio.timeout(120):
        await cancelled.wait()
