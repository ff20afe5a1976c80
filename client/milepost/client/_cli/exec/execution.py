"""A command from its start to its end, as the work of a job."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from milepost.client._cli.exec.job_reporting import OutputReporter
from milepost.client._cli.exec.output_pump import OutputPump, OutputStream
from milepost.client._cli.exec.process_group import ProcessGroup
from milepost.client._cli.exec.pty import PseudoTerminal
from milepost.client.errors import JobFailure

__all__ = ["Execution"]

# What a shell makes of a command that there is not, of one that cannot be started, and of one that a signal has ended.
_COMMAND_NOT_FOUND: Final = 127
_COMMAND_NOT_STARTED: Final = 126
_SIGNAL_BASE: Final = 128
# Seconds for what a command that was stopped has written to be read, and to tell of the end after a signal.
_FLUSH_TIMEOUT: Final = 1.0
# What this process is told that is meant for the command.
_FORWARDED_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# Python does not write to a pipe before it has some thousand bytes, unless it is told to.
_UNBUFFERED_PYTHON: Final = {"PYTHONUNBUFFERED": "1"}


@dataclass
class Execution:
    """Runs a command, and says what that means for its job.

    Attributes:
        command: What is run, with its arguments.
        reporter: Hears what it writes.
        cancel: Called when this process is asked to end although the command has ended already.
        pty: Whether it writes to a terminal of its own.
        environment: What it finds in its environment besides what this process does; None for what it does not find.
        status: Its exit status or, as in a shell, 128 and the number of the signal that has ended it, 127 where there
            is no such command, and 126 where it cannot be run; None before.
        started: Whether it has run at all.
        failure: Why it has failed; None where it has not, or goes on.
        output_error: Why what it wrote could not be passed on; None where it was, or nobody read it any more.
    """

    command: Sequence[str]
    reporter: OutputReporter
    cancel: Callable[[], object]
    pty: bool = False
    environment: dict[str, str | None] = field(default_factory=dict)
    status: int | None = None
    started: bool = False
    failure: JobFailure | None = None
    output_error: OSError | None = None

    def start(self) -> None:
        """Starts it, in the running loop.

        Raises:
            JobFailure: It cannot be started.
        """
        # Where it is ignored, nobody can tell how a command has ended.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        start = self._start_on_terminal if self.pty else self._start_on_pipes
        try:
            self._group, self._output = start()
        except OSError as error:
            name = self.command[0]
            found = not isinstance(error, FileNotFoundError)
            self.status = _COMMAND_NOT_STARTED if found else _COMMAND_NOT_FOUND
            code = "COMMAND_NOT_STARTED" if found else "COMMAND_NOT_FOUND"
            raise JobFailure(code, f"{name} cannot be run: {error.strerror}.") from error
        self.started = True
        self._forward_signals()
        self._ending = asyncio.create_task(self._end())

    async def wait(self) -> None:
        """Waits until it has ended and its output is passed on, but not for what it has left in the background.

        Raises:
            JobFailure: It did not end with the status 0.
        """
        await asyncio.wait((self._ending,))
        self._ending.result()
        if self.failure is not None:
            raise self.failure

    async def stop(self, grace: Coroutine[None, None, None]) -> None:
        """Has it end, with all of its group.

        Args:
            grace: Returns once it has had time enough to stop.
        """
        if self.status is None:
            await self._group.stop(grace)
        else:
            grace.close()
        # The end of a cancelled job is not to wait for a parser.
        await self._output.finish(_FLUSH_TIMEOUT)
        await asyncio.wait((self._ending,))

    @property
    def has_ended(self) -> bool:
        """Whether it was started and has ended, and its output is passed on."""
        return self.started and self._ending.done()

    async def _end(self) -> None:
        status = await self._group.wait()
        self.status = status if status >= 0 else _SIGNAL_BASE - status
        self._output.command_ended()
        await self._output.finish(None)
        self.output_error = self._output.error
        asyncio.get_running_loop().remove_signal_handler(signal.SIGWINCH)
        if status:
            self.failure = _failure(status, self.status, self.reporter.last_errors)

    def _start_on_pipes(self) -> tuple[ProcessGroup, OutputPump]:
        pipes = os.pipe(), os.pipe()
        (out, out_end), (err, err_end) = pipes
        try:
            group = ProcessGroup(self.command, (out_end, err_end), self._environment())
        except OSError:
            os.close(out)
            os.close(err)
            raise
        finally:
            os.close(out_end)
            os.close(err_end)
        return group, OutputPump(
            [self._stream(out, sys.stdout, "info"), self._stream(err, sys.stderr, "warning", is_error=True)]
        )

    def _start_on_terminal(self) -> tuple[ProcessGroup, OutputPump]:
        with PseudoTerminal() as terminal:
            # Programs do not handle it for a terminal that can do anything without a name.
            environment = {"TERM": "xterm", **self._environment()}
            try:
                group = ProcessGroup(self.command, terminal.name, environment)
            except OSError:
                os.close(terminal.master)
                raise
        stream = self._stream(terminal.master, sys.stdout, "info", is_error=True)
        stream.lines.columns = terminal.columns

        def resize() -> None:
            terminal.resize()
            stream.lines.columns = terminal.columns

        asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, resize)
        return group, OutputPump([stream])

    def _stream(
        self, source: int, to: TextIO | None, severity: str, *, is_error: bool = False
    ) -> OutputStream:
        listener = self.reporter.listener(severity, is_error=is_error)
        return OutputStream(source, to.fileno() if to is not None else None, listener)

    def _environment(self) -> dict[str, str]:
        environment = {**_UNBUFFERED_PYTHON, **os.environ, **self.environment}
        return {name: value for name, value in environment.items() if value is not None}

    def _forward_signals(self) -> None:
        """While the command runs they are for it; then there is only its end to tell of, which they hurry."""
        loop = asyncio.get_running_loop()
        for number in _FORWARDED_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        if not self._group.has_ended:
            self._group.signal(number)
        elif self._output.is_done:
            self.cancel()
        else:
            self._output.cut()
            asyncio.get_running_loop().call_later(_FLUSH_TIMEOUT, self.cancel)


def _failure(status: int, shown: int, last_errors: str) -> JobFailure:
    if status > 0:
        text = f"The command exited with status {status}."
        return JobFailure("EXIT_STATUS", text, last_errors, retryable=True)
    name = next((number.name for number in signal.Signals if number == -status), f"SIGNAL_{-status}")
    text = f"The command was ended by {name}; its exit status is {shown}."
    return JobFailure(name, text, last_errors, retryable=True)
