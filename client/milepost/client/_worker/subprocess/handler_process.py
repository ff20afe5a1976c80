"""A handler in a process of its own, as its worker sees it."""

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

from google.protobuf.message import DecodeError

from milepost.client._worker.handlers import Handler, Killed, Outcome
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess import framing
from milepost.client._worker.subprocess.handler_pickling import PickledHandler
from milepost.client._worker.subprocess.report_relay import Relay
from milepost.client._worker.subprocess.stderr_tail import Stderr
from milepost.client.errors import JobFailure
from milepost.v1 import Job, JobEnded, Report

__all__ = ["Process"]

_log = logging.getLogger("milepost.client")

# What the interpreter runs: it looks for modules where this one does, and finds the rest in its arguments.
_BOOT: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from milepost.client._worker.subprocess.child_main import main; main()"
)
# Seconds that the process may take to exit once its handler has returned.
_EXIT: Final = 5.0
# Seconds for what is still on its way from a process that is gone. Only what has left its group can hold it up.
_LAST_WORDS: Final = 1.0
# Seconds between two looks, where the system does not tell when a process has ended.
_LOOK: Final = 0.05


class Process:
    """A handler in a clean interpreter, which leads a session and a process group of its own.

    An interrupt has it raise `Cancelled`. When the process has ended, the rest of its group is killed. It does not
    outlive its worker either, however that ends.

    Attributes:
        outcome: See `Running`.
    """

    def __init__(self, handler: Handler, job: Job, reporter: Reporter) -> None:
        """Starts it."""
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._job = job
        self._relay = Relay(reporter)
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ended: JobEnded | None = None
        self._interrupted = self._killed = False
        self._task = asyncio.create_task(self._live(handler), name=f"process of job {job.job_id}")
        self._task.add_done_callback(self._settle)

    def interrupt(self) -> None:
        """Has it raise `Cancelled`, a plain handler in the midst of what it does."""
        self._interrupted = True
        if self._writer is not None:
            self._writer.write(framing.frame(framing.STOP))

    def kill(self) -> bool:
        """Kills its whole group."""
        self._killed = True
        self._kill_group()
        return True

    # Its life.

    async def _live(self, handler: Handler) -> Outcome:
        parcel = PickledHandler.of(self._job, handler)
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as ends, theirs:
            reader, self._writer = await asyncio.open_unix_connection(sock=ours)
            ends.callback(self._writer.close)
            self._writer.write(framing.frame(pickle.dumps(parcel)))
            if self._interrupted:
                raise asyncio.CancelledError
            # Nobody writes into the lifeline. It closes when the worker is gone, and that is what it tells.
            lifeline, end = os.pipe()
            ends.callback(os.close, end)
            try:
                self._process = process = _spawn(theirs.fileno(), lifeline)
            finally:
                os.close(lifeline)
                theirs.close()
            stderr = Stderr(process)
            hearing = asyncio.create_task(self._hear(reader))
            try:
                await _exit_of(process)
            finally:
                self._kill_group()  # before the process is reaped: until then the number is surely its group's
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LAST_WORDS)
            await asyncio.wait({hearing, stderr.done}, timeout=_LAST_WORDS)
            hearing.cancel()
        return self._outcome(process.returncode, stderr.tail())

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (message := await framing.read(reader)) is not None:
                for update in Report.FromString(message).updates:
                    if update.HasField("job_ended"):
                        self._ended = update.job_ended
                        loop.call_later(_EXIT, self._kill_group)
                    else:
                        self._relay.add(update)
        except DecodeError:
            _log.exception("job %s: the process of its handler does not make sense", self._job.job_id)
            self._kill_group()

    def _outcome(self, status: int, stderr: str) -> Outcome:
        if self._ended is not None:
            if status:
                _log.warning(
                    "job %s: the handler had ended, but its process %s", self._job.job_id, _fate(status)
                )
            return Outcome(ended=self._ended)
        if self._killed:
            return Outcome(error=Killed())
        if self._interrupted and status == -signal.SIGTERM:
            return Outcome(error=asyncio.CancelledError())
        text = f"The handler's process {_fate(status)} before it returned."
        return Outcome(error=JobFailure("PROCESS_CRASHED", text, detail=stderr, retryable=True))

    def _settle(self, task: asyncio.Task[Outcome]) -> None:
        if task.cancelled():
            self.outcome.set_result(Outcome(error=asyncio.CancelledError()))
        elif isinstance(error := task.exception(), OSError):
            text = f"No process could be started: {error}"
            failure = JobFailure("PROCESS_NOT_STARTED", text, retryable=True)
            self.outcome.set_result(Outcome(error=failure))
        elif error is not None:
            self.outcome.set_result(Outcome.of(error))
        else:
            self.outcome.set_result(task.result())

    def _kill_group(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _spawn(channel: int, lifeline: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _BOOT, str(channel), str(lifeline), *sys.path],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(channel, lifeline),
        start_new_session=True,
    )


async def _exit_of(process: subprocess.Popen[bytes]) -> None:
    """Waits until it has ended; where the system can tell, it is not reaped by this."""
    descriptor = _descriptor(process.pid)
    if descriptor is None:
        while process.poll() is None:  # noqa: ASYNC110 - there is nothing to wait for
            await asyncio.sleep(_LOOK)
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _descriptor(pid: int) -> int | None:
    """What becomes readable when the process has ended; None where the system has no such thing."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return None


def _fate(status: int) -> str:
    if status >= 0:
        return f"exited with status {status}"
    if -status == signal.SIGKILL:
        return "was killed by SIGKILL, as by a system that is out of memory,"
    names = {number.value: number.name for number in signal.Signals}
    return f"was killed by {names.get(-status, f'signal {-status}')}"
