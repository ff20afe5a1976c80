"""The process of a handler: runs it, and tells the worker what it has to say."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import pickle
import select
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Final, cast

from milepost.client._worker.current_job import at_hand
from milepost.client._worker.handlers import Handler, Outcome, is_async, job_ended
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess import framing
from milepost.client._worker.subprocess.handler_pickling import PickledHandler
from milepost.client._worker.subprocess.interrupter import Interruption
from milepost.client._worker.subprocess.parent_death import die_with, kill_group
from milepost.client.errors import JobFailure
from milepost.v1 import Job, Report, Update

__all__ = ["main"]

# Seconds between two looks whether the worker is still there, should another process hold its ends of the pipes.
_LOOK: Final = 1.0


def main() -> None:
    """For the interpreter that a worker has started; see `Process`."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    lifeline = int(sys.argv[2])
    for descriptor in (channel.fileno(), lifeline):
        os.set_inheritable(descriptor, False)
    die_with(lifeline)
    faulthandler.enable(all_threads=False)
    message = framing.receive(channel)
    if message is None:
        kill_group()
        return
    parcel: PickledHandler = pickle.loads(message)
    sys.argv = parcel.arguments
    _Child(channel, Job.FromString(parcel.job)).work(parcel)


class _Child:
    """Runs the handler in the main thread. One thread beside it sends its reports, another listens to the worker."""

    def __init__(self, channel: socket.socket, job: Job) -> None:
        self._channel = channel
        self._ready = threading.Event()
        self._reporter = Reporter(self._ready.set)
        self._context = JobContext(job, self._reporter)
        self._interruption = Interruption(self._context)
        self._called_back = threading.Event()
        self._listening = threading.Event()

    def work(self, parcel: PickledHandler) -> None:
        """Until all is said."""
        sender = threading.Thread(target=self._send, name="milepost reports", daemon=True)
        sender.start()
        threading.Thread(target=self._listen, name="milepost worker", daemon=True).start()
        try:
            handler = parcel.unpack()
        except JobFailure as error:
            self._end(Outcome(error=error))
        else:
            self._listening.wait()
            with at_hand(self._context):
                self._run(handler)
        sender.join()

    def _run(self, handler: Handler) -> None:
        if not is_async(handler):
            outcome = self._interruption.call(handler)
            if self._interruption.requested:
                self._called_back.wait()
            self._end(outcome)
            return
        try:
            asyncio.run(self._in_loop(cast("Callable[[JobContext], Awaitable[object]]", handler)))
        except BaseException as error:  # noqa: BLE001 - such as SystemExit, which goes through every loop
            self._end(Outcome.of(error))

    async def _in_loop(self, handler: Callable[[JobContext], Awaitable[object]]) -> None:
        outcome = await self._interruption.wait_for(handler)
        if self._interruption.requested:
            await asyncio.to_thread(self._called_back.wait)
        # Told before the loop is closed, which may take as long as the handler's other tasks and threads like.
        self._end(outcome)

    def _end(self, outcome: Outcome) -> None:
        cancelled = self._interruption.requested
        ended = job_ended(outcome, self._context.remarks.add, cancelled=cancelled)
        self._reporter.end(Update(job_ended=ended))

    def _send(self) -> None:
        reporter = self._reporter
        while not (reporter.has_ended and reporter.is_empty):
            self._ready.wait(reporter.due(time.monotonic()))
            self._ready.clear()
            while (batch := reporter.take(time.monotonic())) is not None:
                report = Report(updates=batch.updates)
                try:
                    self._channel.sendall(framing.frame(report.SerializeToString()))
                except OSError:
                    kill_group()
                reporter.acknowledge(batch.first + len(batch.updates) - 1)

    def _listen(self) -> None:
        worker = os.getppid()
        wait = 0.0  # what was said while this process was starting is heard before the handler begins
        while True:
            if select.select([self._channel], [], [], wait)[0]:
                message = framing.receive(self._channel)
                if message is None:
                    kill_group()
                elif message == framing.STOP and not self._interruption.requested:
                    self._interruption.request()
                    # Whatever a callback does, this thread goes on listening.
                    threading.Thread(target=self._call_back, name="milepost on_cancel", daemon=True).start()
            if os.getppid() != worker:
                kill_group()
            wait = self._interruption.press() or _LOOK
            self._listening.set()

    def _call_back(self) -> None:
        try:
            self._context.call_back()
        finally:
            self._called_back.set()
