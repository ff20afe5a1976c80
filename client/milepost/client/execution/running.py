"""A command from its start to its end, as the work of a job."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from milepost.client.errors import JobFailure
from milepost.client.execution.group import Group
from milepost.client.execution.passing import Passing
from milepost.client.execution.telling import Telling

__all__ = ["Execution"]

# What a shell makes of a command that there is not, of one that cannot be started, and of one that a signal has ended.
_NOT_FOUND: Final = 127
_NOT_STARTED: Final = 126
_SIGNALLED: Final = 128
# Seconds for what a command that was stopped has written to be read.
_LAST_WORDS: Final = 1.0
# What this process is told that is meant for the command.
_PASSED_ON: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@dataclass
class Execution:
    """Runs a command, and says what that means for its job.

    Attributes:
        command: What is run, with its arguments.
        environment: What it finds in its environment besides what this process does.
        status: Its exit status or, as in a shell, 128 and the number of the signal that has ended it, 127 where there
            is no such command, and 126 where it cannot be run; None before.
        started: Whether it has run at all.
    """

    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    started: bool = False

    async def run(self, telling: Telling, patience: Callable[[], Coroutine[None, None, None]]) -> None:
        """Runs it to its end. Where this is cancelled, the command is stopped before.

        Args:
            telling: Hears what it writes.
            patience: Returns once the command had time enough to stop.

        Raises:
            JobFailure: It did not end with the status 0.
        """
        signal.signal(
            signal.SIGCHLD, signal.SIG_DFL
        )  # where it is ignored, nobody can tell how a command has ended
        async with _passing(telling) as (out, err):
            group = self._start(out, err)
            _pass_on_signals(group)
            try:
                await group.wait()
            except asyncio.CancelledError:
                await group.stop(patience())
                raise
            finally:
                status = group.status()
                self.status = status if status >= 0 else _SIGNALLED - status
        if status:
            raise _failure(status, self.status, telling)

    def _start(self, out: Passing, err: Passing) -> Group:
        try:
            group = Group(self.command, out.end, err.end, {**os.environ, **self.environment})
        except OSError as error:
            name = self.command[0]
            found = not isinstance(error, FileNotFoundError)
            self.status = _NOT_STARTED if found else _NOT_FOUND
            code = "COMMAND_NOT_STARTED" if found else "COMMAND_NOT_FOUND"
            raise JobFailure(code, f"{name} cannot be run: {error.strerror}.") from error
        finally:
            out.close_end()
            err.close_end()
        self.started = True
        return group


@asynccontextmanager
async def _passing(telling: Telling) -> AsyncIterator[tuple[Passing, Passing]]:
    """Passes on what is written to them, until all of it is. The end of a cancelled job is not to wait for a reader."""
    both = Passing(sys.stdout.fileno(), telling.out), Passing(sys.stderr.fileno(), telling.err)
    timeout = None
    try:
        yield both
    except asyncio.CancelledError:
        timeout = _LAST_WORDS
        raise
    finally:
        for passing in both:
            passing.close_end()
            await passing.finish(timeout)


def _pass_on_signals(group: Group) -> None:
    """From now on they are for the command; once it has ended, this process has only to tell of that."""
    loop = asyncio.get_running_loop()
    for number in _PASSED_ON:
        if signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, group.signal, number)


def _failure(status: int, shown: int, telling: Telling) -> JobFailure:
    if status > 0:
        text = f"The command exited with status {status}."
        return JobFailure("EXIT_STATUS", text, telling.last_errors, retryable=True)
    name = next((number.name for number in signal.Signals if number == -status), f"SIGNAL_{-status}")
    text = f"The command was ended by {name}; its exit status is {shown}."
    return JobFailure(name, text, telling.last_errors, retryable=True)
