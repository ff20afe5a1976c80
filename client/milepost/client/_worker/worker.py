"""Workers: register handlers, run jobs."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Final, TypeVar, Unpack

from milepost.client._arguments import check_seconds, check_text
from milepost.client._options import ConnectionOptions, describe_options
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.target import FilePath, Target
from milepost.client._worker.grace_period import STOP_GRACE
from milepost.client._worker.handlers import Handler, RegisteredHandler, RunMode, run_mode_of
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.loop_watchdog import LoopWatchdog
from milepost.client._worker.outage_log import OutageLog
from milepost.client._worker.session_loop import SessionLoop
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.client._worker.subprocess.handler_pickling import is_loading
from milepost.client._worker.timed_wait import completes
from milepost.client._worker.worker_settings import WorkerSettings
from milepost.client.errors import MilepostError, ProtocolError, ServiceError
from milepost.contract.limits import KIND
from milepost.contract.name_rules import name_rule

__all__ = ["Worker"]

_logger = logging.getLogger("milepost.client")

# Seconds for the server to end the session.
_CLOSE_TIMEOUT: Final = 5.0
# Status codes that a retry does not help against.
_FATAL_STATUS_CODES: Final = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INVALID_ARGUMENT,
    }
)

_Function = TypeVar("_Function", bound=Handler)


class Worker:
    """Runs jobs by calling the handlers of their kinds.

    A handler is an async function, or a plain one, which runs in a thread. It gets a `JobContext`, and returns the
    result of the job, or raises::

        worker = Worker("127.0.0.1:7070", max_concurrency=4)

        @worker.job("transcribe")
        async def transcribe(job):
            async with job.stage("tracks", total=len(job.input["tracks"])) as stage:
                async for track in stage.track(tracks_of(job.input)):
                    job.log(f"{track} is done", stage=stage)
            return {"words": 1204}

        if __name__ == "__main__":
            worker.main()

    It reconnects by itself and continues its jobs. Cancelling a job interrupts its handler: an async one at its next
    await, a plain one where it calls `JobContext.raise_if_cancelled` or takes the next item from `StageContext.track`.
    An async handler shares its event loop with the connection, so it must not block.

    With ``run="process"`` each job has a process of its own. It may crash without harm to others, an interrupt reaches
    it wherever it is, and if it does not stop within the grace period the worker kills its process group::

        @worker.job("render", run="process")
        def render(job):
            native.render(job.input["scene"], on_frame=job.stage("frames").advance)
    """

    @describe_options
    def __init__(
        self,
        address: str | None = None,
        *,
        worker_id: str | None = None,
        max_concurrency: int = 1,
        drain_timeout: float = 30.0,
        flush_timeout: float = 10.0,
        spool: FilePath | None = None,
        timeout: float = 30.0,
        **options: Unpack[ConnectionOptions],
    ) -> None:
        """Configure the worker; `run` connects it.

        Args:
            address: The server, as for `Client`.
            worker_id: Identifies this process, at most 128 characters; None for the host name and the process id.
            max_concurrency: Maximum number of jobs at once, 1 to 10,000.
            drain_timeout: Seconds for running jobs to finish once the worker stops.
            flush_timeout: Seconds for the server to acknowledge the last reports of a finished job. Then the worker
                writes them to the spool, and no longer waits for them when it stops.
            spool: A directory for undelivered reports, which the next worker with this directory delivers; default
                MILEPOST_SPOOL. Without a spool they are lost with this process, and the worker logs that.
            timeout: Seconds for the server to accept the connection.
            options: See `ConnectionOptions`.

        Raises:
            TypeError: An argument has the wrong type, or there is no such option.
            ValueError: An argument is out of its bounds.
        """
        self._settings = WorkerSettings(
            Target.of(address, **options),
            max_concurrency=max_concurrency,
            drain_timeout=drain_timeout,
            flush_timeout=flush_timeout,
        )
        self._settings.address_of_code = address
        check_seconds(timeout=timeout)
        self._timeout = timeout
        self._settings.override(
            worker_id=worker_id,
            max_concurrency=max_concurrency,
            drain_timeout=drain_timeout,
            flush_timeout=flush_timeout,
            spool=spool or os.environ.get("MILEPOST_SPOOL"),
        )
        self._handlers: dict[str, Handler] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._stop_requested = False
        self._has_run = False
        self._jobs: JobTable | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of job that have a handler."""
        return tuple(self._handlers)

    def job(self, kind: str, run: RunMode | None = None) -> Callable[[_Function], _Function]:
        """Register the decorated function as the handler of a kind of job.

        Args:
            kind: The kind of the jobs.
            run: Where the handler runs: ``"task"``, ``"thread"``, or ``"process"`` for a new process for each job.
                None: an async function as a task, a plain one in a thread.

        Raises:
            TypeError: The decorator was used without a kind, the kind is no text, or it decorates no function.
            ValueError: The kind is invalid or has a handler already, or the function cannot run in that mode: an async
                one in a thread, a plain one as a task, or one that cannot be imported, such as a nested function, in a
                process; or it is a generator function.
        """
        if callable(kind):
            name = getattr(kind, "__name__", "kind")
            raise TypeError(f"@worker.job needs the kind of job, as in @worker.job({name!r}).")
        check_text(kind=kind)
        if not KIND.fullmatch(kind):
            raise ValueError(f"A kind of job cannot be called {kind!r}: {name_rule(KIND)}.")
        if kind in self._handlers:
            raise ValueError(f"There is a handler for {kind!r} already.")

        def register(handler: _Function) -> _Function:
            self._handlers[kind] = RegisteredHandler(handler, run_mode_of(handler, run))
            return handler

        return register

    async def run(self) -> None:
        """Run jobs until `stop`; cancelling this coroutine gives running jobs back at once.

        The first run returns at once if `stop` was called before.

        Raises:
            Unauthenticated: The server does not accept the token, and there is no other one.
            InsecureToken: The token would travel unencrypted beyond this machine.
            PermissionDenied: The caller may not work.
            Unimplemented: The server does not serve workers.
            InvalidField: A field such as the worker_id is invalid.
            OSError: The spool cannot be used.
            RuntimeError: The worker runs already, has no handlers, or was started while a handler process imports it.
        """
        if is_loading():
            raise RuntimeError(
                "The process of a handler imports the worker's module, and must not run the worker again: "
                'do that only under `if __name__ == "__main__":`.'
            )
        if self._stopping is not None:
            raise RuntimeError("The worker runs already.")
        if not self._handlers:
            raise RuntimeError("The worker has no handlers: decorate some with @worker.job(kind).")
        if self._has_run:
            self._stop_requested = False  # that was of the last run, or came after its end
        self._has_run = True
        self._loop = asyncio.get_running_loop()
        stopping = self._stopping = asyncio.Event()
        try:
            if (
                not self._stop_requested
            ):  # read after `_stopping` is set: `stop` writes and reads the other way round
                await self._run(stopping)
        finally:
            self._stopping = self._jobs = None

    def stop(self) -> None:
        """Accept no more jobs; `run` returns when the running ones have finished, or after the drain timeout.

        Thread-safe. If the worker has never run, its first `run` returns at once: so no stop is lost that comes while
        it starts. After the end of a run this does nothing.
        """
        self._stop_requested = True
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(stopping.set)

    def main(self) -> None:
        """Run until `stop` or, in the main thread, SIGTERM or SIGINT. A second signal gives running jobs back at once.

        Raises:
            MilepostError: As for `run`.
        """
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(self._main())

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        running = asyncio.create_task(self.run())

        def interrupt() -> None:
            if self._stopping is None or self._stopping.is_set():
                running.cancel()
                return
            self._stopping.set()
            if self._jobs is not None and (running_count := self._jobs.running):
                _logger.info(
                    "the worker is stopping; running jobs (%d) have %g s to finish",
                    running_count,
                    self._settings.drain_timeout,
                )
            else:
                _logger.info("the worker is stopping")

        if threading.current_thread() is threading.main_thread():  # only this one receives signals
            with contextlib.suppress(NotImplementedError):  # not on Windows
                for number in (signal.SIGTERM, signal.SIGINT):
                    loop.add_signal_handler(number, interrupt)
        await running

    async def _run(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop` is set."""
        channel = LazyChannel(self._settings.target)
        jobs = self._jobs = JobTable(
            self._handlers,
            self._settings.max_concurrency,
            spool=SpoolDirectory(self._settings.spool) if self._settings.spool is not None else None,
            flush_timeout=self._settings.flush_timeout,
        )
        sessions = SessionLoop(channel, jobs, self._settings.worker_id, self._timeout)
        with LoopWatchdog():
            connection = asyncio.create_task(sessions.run(functools.partial(_wait_to_retry, sessions.outage)))
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait((connection, stopping), return_when=asyncio.FIRST_COMPLETED)
                if not connection.done():
                    await self._drain(jobs, sessions, self._settings.drain_timeout)
            except asyncio.CancelledError:
                await self._drain(jobs, sessions, 0.0)
                raise
            finally:
                try:
                    stopping.cancel()
                    connection.cancel()
                    await asyncio.wait((connection,))
                    for attempt in jobs:
                        attempt.give_back()
                    await channel.close()
                finally:
                    jobs.close()
        if not connection.cancelled():
            connection.result()

    async def _drain(self, jobs: JobTable, sessions: SessionLoop, timeout: float) -> None:
        """Accept no more jobs, let running ones finish in time, give the others back, and close the session."""
        jobs.stop_accepting()
        if not await completes(jobs.idle(), timeout):
            for attempt in jobs:
                attempt.give_back()
            if not await completes(jobs.idle(), STOP_GRACE + 1.0):
                for attempt in jobs:
                    attempt.abandon()
        if await completes(jobs.empty(), self._settings.flush_timeout):
            await sessions.finish(_CLOSE_TIMEOUT)


async def _wait_to_retry(outage: OutageLog, error: MilepostError, wait: float) -> None:
    """Log that a session was lost, and wait for the backoff; raise an error that a retry does not help against."""
    if isinstance(error, ProtocolError) or (
        isinstance(error, ServiceError) and error.code in _FATAL_STATUS_CODES
    ):
        raise error
    outage.disconnected(error)
    await asyncio.sleep(wait)
