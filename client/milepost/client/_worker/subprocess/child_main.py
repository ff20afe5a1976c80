"""Entry point of a handler process: runs the handler and sends its reports to the worker."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import fcntl
import os
import pickle
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Final, cast

from milepost.client._arguments import is_async
from milepost.client._worker.current_job import as_current_job
from milepost.client._worker.failure_report import failure_of, is_unexpected
from milepost.client._worker.handlers import Handler, Outcome, job_ended
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess import framing
from milepost.client._worker.subprocess.handler_pickling import PickledHandler
from milepost.client._worker.subprocess.interrupter import Interrupter
from milepost.client.errors import JobFailure
from milepost.v1 import Job, Report, Update

__all__ = ["main"]

# Seconds between two checks that the worker lives, in case another process holds its ends of the pipes open.
_PARENT_POLL_INTERVAL: Final = 1.0


def main() -> None:
    """Run in the interpreter that `HandlerProcess` starts."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    lifeline = int(sys.argv[2])
    for descriptor in (channel.fileno(), lifeline):
        os.set_inheritable(descriptor, False)
    _die_with_parent(lifeline)
    faulthandler.enable(all_threads=False)
    message = framing.receive(channel)
    if message is None:
        _kill_group()
        return
    pickled_handler: PickledHandler = pickle.loads(message)
    sys.argv = pickled_handler.arguments
    _Child(channel, Job.FromString(pickled_handler.job)).work(pickled_handler)


class _Child:
    """Runs the handler in the main thread; one more thread sends its reports, another listens to the worker."""

    def __init__(self, channel: socket.socket, job: Job) -> None:
        self._channel = channel
        self._ready = threading.Event()
        self._reporter = Reporter(self._ready.set)
        self._control = JobControl(job, self._reporter)
        self._context = JobContext(self._control)
        self._interrupter = Interrupter(self._context, self._control.cancel_signal)
        self._called_back = threading.Event()
        self._listening = threading.Event()
        self._traceback = ""

    def work(self, pickled_handler: PickledHandler) -> None:
        """Run the handler, and return once all of its reports are sent."""
        sender = threading.Thread(target=self._send, name="milepost reports", daemon=True)
        sender.start()
        threading.Thread(target=self._listen, name="milepost worker", daemon=True).start()
        try:
            handler = pickled_handler.load()
        except JobFailure as error:
            self._end(Outcome(error=error), traceback=error.detail)
        else:
            self._listening.wait()
            with as_current_job(self._context):
                self._run(handler)
        sender.join()

    def _run(self, handler: Handler) -> None:
        if not is_async(handler):
            outcome = self._interrupter.call(handler)
            if self._interrupter.requested:
                self._called_back.wait()
            self._end(outcome)
            return
        try:
            asyncio.run(self._in_loop(cast("Callable[[JobContext], Awaitable[object]]", handler)))
        except BaseException as error:  # noqa: BLE001 - such as SystemExit, which leaves every loop
            self._end(Outcome.raised(error))

    async def _in_loop(self, handler: Callable[[JobContext], Awaitable[object]]) -> None:
        outcome = await self._interrupter.wait_for(handler)
        if self._interrupter.requested:
            await asyncio.to_thread(self._called_back.wait)
        # Report the end before closing the loop, which may wait long for other tasks and threads of the handler.
        self._end(outcome)

    def _end(self, outcome: Outcome, traceback: str = "") -> None:
        cancelled = self._interrupter.requested
        error = outcome.error
        self._traceback = (
            failure_of(error).detail if error is not None and is_unexpected(error) else traceback
        )
        ended = job_ended(outcome, self._control.warnings.add, cancelled=cancelled)
        self._reporter.end(Update(job_ended=ended))

    def _send(self) -> None:
        reporter = self._reporter
        while not (reporter.has_ended and reporter.is_empty):
            self._ready.wait(reporter.due(time.monotonic()))
            self._ready.clear()
            while (batch := reporter.next_batch(time.monotonic())) is not None:
                self._send_message(Report(updates=batch.updates).SerializeToString())
                reporter.acknowledge(batch.first + len(batch.updates) - 1)
        if self._traceback:
            self._send_message(framing.TRACEBACK + self._traceback.encode(errors="replace"))

    def _send_message(self, message: bytes) -> None:
        try:
            self._channel.sendall(framing.frame(message))
        except OSError:
            _kill_group()

    def _listen(self) -> None:
        worker = os.getppid()
        wait = 0.0  # read messages that arrived during startup before the handler begins
        while True:
            if _is_readable(self._channel.fileno(), wait):
                message = framing.receive(self._channel)
                if message is None:
                    _kill_group()
                elif message == framing.STOP and not self._interrupter.requested:
                    self._interrupter.request()
                    # Callbacks run in another thread, so that this one goes on listening.
                    threading.Thread(target=self._call_back, name="milepost on_cancel", daemon=True).start()
            if os.getppid() != worker:
                _kill_group()
            wait = self._interrupter.deliver() or _PARENT_POLL_INTERVAL
            self._listening.set()

    def _call_back(self) -> None:
        try:
            self._control.cancel_signal.call_back()
        finally:
            self._called_back.set()


def _die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process group when the other end of the pipe closes.

    This works even if the handler never releases the interpreter, or is stopped. On a system that cannot do it, the
    thread that listens to the worker kills the group.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
            fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        if _is_readable(lifeline, 0.0):  # the worker was gone before
            _kill_group()


def _is_readable(descriptor: int, timeout: float) -> bool:
    """Whether within so many seconds there is something to read, or the other end is closed.

    By `poll`, since `select` takes no descriptor from 1,024 on, and these keep the numbers that the worker gave them.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def _kill_group() -> None:
    """Kill this process and its group."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
