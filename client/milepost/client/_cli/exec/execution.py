"""Execution of a command as the work of a job."""

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
from milepost.client._cli.standard_streams import forwarder
from milepost.client.errors import JobFailure

__all__ = ["Execution"]

# Exit statuses as in a shell: command not found, not executable, and the base for commands that a signal ended.
_COMMAND_NOT_FOUND: Final = 127
_COMMAND_NOT_STARTED: Final = 126
_SIGNAL_BASE: Final = 128
# Seconds to read the remaining output of a stopped command, and to report its end after a signal.
_FLUSH_TIMEOUT: Final = 1.0
# Signals to this process that are meant for the command.
_FORWARDED_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# By default Python buffers several kB when it writes to a pipe.
_UNBUFFERED_PYTHON: Final = {"PYTHONUNBUFFERED": "1"}


@dataclass
class Execution:
    """Run a command and derive the outcome of its job.

    Attributes:
        command: The program and its arguments.
        reporter: Reports the command's output to the job.
        cancel: Called on a signal to this process after the command has ended.
        pty: Whether the command runs on a pseudo-terminal.
        environment: Additions to this process's environment; None removes a variable.
        status: Exit status; as in a shell 128 plus the number of the signal that ended the command, 127 if it was not
            found, 126 if it cannot be executed. None until then.
        started: Whether the command was started.
        failure: The failure to report; None without one, or while the command runs.
        output_error: Why output could not be written; None if it was, or its reader is gone.
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
        """Start the command, in the running loop.

        Raises:
            JobFailure: The command cannot be started.
        """
        # While SIGCHLD is ignored, the kernel discards exit statuses.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._forward_signals()  # before there is a command, which a signal to this process could leave alone
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
        self._ending = asyncio.create_task(self._end())

    async def wait(self) -> None:
        """Wait until the command has ended and its output is written, but not for its background processes.

        Raises:
            JobFailure: The exit status is not 0.
        """
        await asyncio.wait((self._ending,))
        self._ending.result()
        if self.failure is not None:
            raise self.failure

    async def stop(self, grace: Coroutine[None, None, None]) -> None:
        """Stop the command and its process group.

        Args:
            grace: Returns when the grace period is over.
        """
        if self.status is None:
            await self._group.stop(grace)
        else:
            grace.close()
        # A cancelled job must not wait for a slow reader of the output.
        await self._output.finish(_FLUSH_TIMEOUT)
        await asyncio.wait((self._ending,))

    @property
    def has_ended(self) -> bool:
        """Whether the command has ended and its output is written."""
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
            # Without TERM programs assume a terminal without any capabilities.
            environment = {"TERM": "xterm", **self._environment()}
            try:
                group = ProcessGroup(self.command, terminal.name, environment)
            except OSError:
                os.close(terminal.master)
                raise
        stream = self._stream(terminal.master, sys.stdout, "info", is_error=True)
        stream.lines.resize(terminal.columns)

        def resize() -> None:
            terminal.resize()
            stream.lines.resize(terminal.columns)

        asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, resize)
        return group, OutputPump([stream])

    def _stream(
        self, source: int, to: TextIO | None, severity: str, *, is_error: bool = False
    ) -> OutputStream:
        listener = self.reporter.listener(severity, is_error=is_error)
        if to is None:
            return OutputStream(source, None, listener)
        return OutputStream(source, to.fileno(), listener, forwarder(to))

    def _environment(self) -> dict[str, str]:
        environment = {**_UNBUFFERED_PYTHON, **os.environ, **self.environment}
        return {name: value for name, value in environment.items() if value is not None}

    def _forward_signals(self) -> None:
        """Forward signals while the command runs; before it they cancel, and after its end they cut reporting short."""
        loop = asyncio.get_running_loop()
        for number in _FORWARDED_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        if not self.started:
            self.cancel()
        elif not self._group.has_ended:
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
