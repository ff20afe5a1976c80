"""The worker's side of a handler process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
from typing import Final

from milepost.client._worker.handlers import Handler, HandlerKilled, HandlerRaised, Outcome
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess import framing
from milepost.client._worker.subprocess.handler_pickling import PickledHandler
from milepost.client._worker.subprocess.report_relay import ReportRelay
from milepost.client._worker.subprocess.stderr_tail import StderrTail
from milepost.client.errors import JobFailure
from milepost.v1 import Job, JobEnded, Report

__all__ = ["HandlerProcess"]

_logger = logging.getLogger("milepost.client")

# The program of the new interpreter, which gets the descriptors and the module search path as arguments.
_BOOTSTRAP: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from milepost.client._worker.subprocess.child_main import main; main()"
)
# Seconds for the process to exit once its handler has returned.
_EXIT_TIMEOUT: Final = 5.0
# Seconds to read the rest of the pipes of a process that has ended. Only processes that left its group can delay it.
_PIPE_DRAIN_TIMEOUT: Final = 1.0
# Seconds between two checks for the end of the process, on systems without pidfd.
_EXIT_POLL_INTERVAL: Final = 0.05


class HandlerProcess:
    """A handler in a new interpreter, which leads a session and a process group of its own.

    An interrupt raises `Cancelled` in the handler. When the process has ended, the rest of its group is killed, and so
    is the whole group when the worker dies.

    Attributes:
        outcome: See `RunningHandler`.
    """

    def __init__(self, handler: Handler, job: Job, reporter: Reporter) -> None:
        """Start the process."""
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._job = job
        self._relay = ReportRelay(reporter)
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ended: JobEnded | None = None
        self._raised: HandlerRaised | None = None
        self._interrupted = self._killed = False
        self._task = asyncio.create_task(self._supervise(handler), name=f"process of job {job.job_id}")
        self._task.add_done_callback(self._resolve_outcome)

    def interrupt(self) -> None:
        """Raise `Cancelled` in the handler, once; its process ignores further messages."""
        self._interrupted = True
        if self._writer is not None:
            self._writer.write(framing.frame(framing.STOP))

    def kill(self) -> bool:
        """Kill its process group."""
        self._killed = True
        self._kill_group()
        return True

    async def _supervise(self, handler: Handler) -> Outcome:
        pickled_handler = PickledHandler.of(self._job, handler)
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as ends, theirs:
            reader, self._writer = await asyncio.open_unix_connection(sock=ours)
            ends.callback(self._writer.close)
            self._writer.write(framing.frame(pickle.dumps(pickled_handler)))
            if self._interrupted:
                raise asyncio.CancelledError
            # Nobody writes to the lifeline: its end tells the handler process that the worker has died.
            lifeline, end = os.pipe()
            ends.callback(os.close, end)
            try:
                self._process = process = _spawn(theirs.fileno(), lifeline)
            finally:
                os.close(lifeline)
                theirs.close()
            try:
                stderr = StderrTail(process)
                reading = asyncio.create_task(self._read_updates(reader))
                await _exit_of(process)
            finally:
                self._kill_group()  # before the process is reaped: after that, the id could be reused
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_PIPE_DRAIN_TIMEOUT)
            await asyncio.wait({reading, stderr.done}, timeout=_PIPE_DRAIN_TIMEOUT)
            reading.cancel()
        return self._outcome(process.returncode, stderr.tail())

    async def _read_updates(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (message := await framing.read(reader)) is not None:
                if message.startswith(framing.TRACEBACK):
                    self._raised = HandlerRaised(message.removeprefix(framing.TRACEBACK).decode())
                    continue
                for update in Report.FromString(message).updates:
                    if update.HasField("job_ended"):
                        self._ended = update.job_ended
                        loop.call_later(_EXIT_TIMEOUT, self._kill_group)
                    else:
                        self._relay.add(update)
        except Exception:  # unread, its process would wait for good to write its end
            _logger.exception("job %s: malformed message from its handler process", self._job.job_id)
            self._kill_group()

    def _outcome(self, status: int | None, stderr: str) -> Outcome:
        if self._ended is not None:
            if status != 0:
                _logger.warning(
                    "job %s: the handler ended, but its process %s", self._job.job_id, _exit_text(status)
                )
            return Outcome(ended=self._ended, error=self._raised)
        if self._killed:
            return Outcome(error=HandlerKilled())
        if self._interrupted and status == -signal.SIGTERM:
            return Outcome(error=asyncio.CancelledError())
        text = f"The handler's process {_exit_text(status)} before it returned."
        return Outcome(error=JobFailure("PROCESS_CRASHED", text, detail=stderr, retryable=True))

    def _resolve_outcome(self, task: asyncio.Task[Outcome]) -> None:
        del self._task  # its exception has frames that have this
        if task.cancelled():
            self.outcome.set_result(Outcome(error=asyncio.CancelledError()))
        elif isinstance(error := task.exception(), OSError):
            text = f"No process could be started: {error}"
            failure = JobFailure("PROCESS_NOT_STARTED", text, retryable=True)
            self.outcome.set_result(Outcome(error=failure))
        elif error is not None:
            self.outcome.set_result(Outcome.raised(error))
        else:
            self.outcome.set_result(task.result())

    def _kill_group(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _spawn(channel: int, lifeline: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _BOOTSTRAP, str(channel), str(lifeline), *sys.path],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(channel, lifeline),
        start_new_session=True,
    )


async def _exit_of(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has ended; on systems with pidfd, without reaping it."""
    descriptor = _open_pidfd(process.pid)
    if descriptor is None:
        while process.poll() is None:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(_EXIT_POLL_INTERVAL)
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _open_pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process has ended; None on systems without pidfd."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return None


def _exit_text(status: int | None) -> str:
    if status is None:  # the kernel has not ended it yet, as while it waits for a disk
        return "was killed, and has not ended yet,"
    if status >= 0:
        return f"exited with status {status}"
    if -status == signal.SIGKILL:
        return "was killed by SIGKILL, as by a system that is out of memory,"
    names = {number.value: number.name for number in signal.Signals}
    return f"was killed by {names.get(-status, f'signal {-status}')}"
