"""For those who do the work."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from milepost.client._transport.channel import LazyChannel, Target
from milepost.client._transport.fork_safety import grpc
from milepost.client._worker.grace_period import LAST_GRACE
from milepost.client._worker.handlers import Handler, Registered, Run, way_of
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.loop_watchdog import Watchdog
from milepost.client._worker.outage_log import Outage
from milepost.client._worker.session_loop import Sessions
from milepost.client._worker.spool.spool_directory import Spool
from milepost.client._worker.subprocess.handler_pickling import is_loading
from milepost.client.errors import MilepostError, ProtocolError, ServiceError
from milepost.contract.limits import CONCURRENCY, KIND, NAME_LENGTH

__all__ = ["Worker"]

_log = logging.getLogger("milepost.client")

# Seconds for the server to end the session.
_GOODBYE: Final = 5.0
# What trying again does not help against.
_FATAL: Final = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INVALID_ARGUMENT,
    }
)

_Function = TypeVar("_Function", bound=Handler)


class Worker:
    """Takes jobs and runs handlers for them.

    A handler is an async function, or a plain one, which runs in a thread. It gets a `JobContext`, and returns what
    came of the job, or raises::

        worker = Worker("127.0.0.1:7070", max_concurrency=4)

        @worker.job("transcribe")
        async def transcribe(job):
            async with job.stage("tracks", total=len(job.input["tracks"])) as stage:
                async for track in stage.track(tracks_of(job.input)):
                    job.log(f"{track} is done", stage=stage)
            return {"words": 1204}

        if __name__ == "__main__":
            worker.main()

    It reconnects by itself and goes on with the jobs that it has. A job that is cancelled interrupts its handler: an
    async one at its next await, a plain one where it calls `JobContext.raise_if_cancelled` or takes the next item from
    `StageContext.track`. An async handler shares its event loop with the connection, so it must not block.

    With ``run="process"`` each job has a process of its own. It may crash without harm to others, it is interrupted
    wherever it is, and if it does not stop within the grace period it is killed with all that it has started::

        @worker.job("render", run="process")
        def render(job):
            native.render(job.input["scene"], on_frame=job.stage("frames").advance)
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        token: str | None = None,
        tls: bool = False,
        tls_ca: str | os.PathLike[str] | None = None,
        worker_id: str | None = None,
        max_concurrency: int = 1,
        drain_timeout: float = 30.0,
        flush_timeout: float = 10.0,
        spool: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Nothing is connected yet.

        Args:
            address: The server; this and the next three as for `Client`.
            token: Who is calling.
            tls: Encrypts the connection.
            tls_ca: A PEM file with the certificates to trust.
            worker_id: Names this process, at most 128 characters; None for the host's name and the process id.
            max_concurrency: How many jobs to run at once, 1 to 10,000.
            drain_timeout: How many seconds running jobs may take to finish once the worker is to stop.
            flush_timeout: How many seconds the server has to take what a job that has finished has left to tell. Then
                it is written to the spool, and a worker that is to stop does not wait for it any longer.
            spool: A directory for what the server did not take, which is told by the next worker that starts with it;
                from MILEPOST_SPOOL where it is not given. Without one it is lost with this process, and that is logged.
            timeout: How many seconds the server has to accept the connection.

        Raises:
            ValueError: One of these is out of its bounds.
        """
        self._target = Target.of(address, token=token, tls=tls, tls_ca=tls_ca)
        self._timeout = timeout
        self._worker_id: str | None = None
        self._spool: Path | None = None
        self.configure(
            worker_id=worker_id,
            max_concurrency=max_concurrency,
            drain_timeout=drain_timeout,
            flush_timeout=flush_timeout,
            spool=spool or os.environ.get("MILEPOST_SPOOL"),
        )
        self._handlers: dict[str, Handler] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._desk: JobTable | None = None

    def configure(
        self,
        *,
        address: str | None = None,
        token: str | None = None,
        tls: bool | None = None,
        tls_ca: str | os.PathLike[str] | None = None,
        worker_id: str | None = None,
        max_concurrency: int | None = None,
        drain_timeout: float | None = None,
        flush_timeout: float | None = None,
        spool: str | os.PathLike[str] | None = None,
    ) -> None:
        """Changes how it was made, before it runs, as `milepost worker` does. What is None stays as it is.

        Raises:
            ValueError: One of these is out of its bounds.
        """
        if max_concurrency is not None and not 1 <= max_concurrency <= CONCURRENCY:
            raise ValueError(f"max_concurrency is 1 to {CONCURRENCY}, not {max_concurrency}.")
        if worker_id is not None and not 1 <= len(worker_id) <= NAME_LENGTH:
            raise ValueError(f"A worker_id has 1 to {NAME_LENGTH} characters, not {len(worker_id)}.")
        self._target = self._target.changed(address=address, token=token, tls=tls, tls_ca=tls_ca)
        self._worker_id = worker_id or self._worker_id
        if max_concurrency is not None:
            self._max_concurrency = max_concurrency
        if drain_timeout is not None:
            self._drain_timeout = drain_timeout
        if flush_timeout is not None:
            self._flush_timeout = flush_timeout
        if spool:
            self._spool = Path(spool)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of job that it has handlers for."""
        return tuple(self._handlers)

    def job(self, kind: str, run: Run | None = None) -> Callable[[_Function], _Function]:
        """Registers the decorated function as the handler of a kind of job.

        Args:
            kind: What the jobs are called.
            run: Where it runs: ``"task"``, ``"thread"``, or ``"process"`` for one of its own to each job, which is
                started anew. None: an async function as a task, a plain one in a thread.

        Raises:
            TypeError: There is no kind: the decorator is to be called.
            ValueError: This is no kind, it has a handler already, or the function cannot run like that: an async one
                not in a thread, a plain one not as a task, and none in a process that cannot be imported there, such as
                one that is defined within another.
        """
        if callable(kind):
            name = getattr(kind, "__name__", "kind")
            raise TypeError(f"@worker.job wants to know the kind of job: @worker.job({name!r}), say.")
        if not KIND.fullmatch(kind):
            raise ValueError(f"A kind of job cannot be called {kind!r}: it has to match {KIND.pattern}.")
        if kind in self._handlers:
            raise ValueError(f"There is a handler for {kind!r} already.")

        def register(handler: _Function) -> _Function:
            self._handlers[kind] = Registered(handler, way_of(handler, run))
            return handler

        return register

    async def run(self) -> None:
        """Works until `stop`, or until it is cancelled, which gives running jobs back at once.

        Raises:
            Unauthenticated: The server does not know who is calling.
            PermissionDenied: The server does not let it work.
            Unimplemented: The server is not one for workers.
            InvalidField: A worker_id or the like is not one.
            OSError: The spool cannot be used.
            RuntimeError: It runs already, has no handlers, or is run while a module of handlers is imported.
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
        self._loop = asyncio.get_running_loop()
        channel = LazyChannel(self._target)
        desk = self._desk = JobTable(
            self._handlers,
            self._max_concurrency,
            spool=Spool(self._spool) if self._spool is not None else None,
            flush_timeout=self._flush_timeout,
        )
        self._stopping = asyncio.Event()
        sessions = Sessions(channel, desk, self._worker_id, self._timeout)
        with Watchdog():
            connection = asyncio.create_task(sessions.run(functools.partial(_lost, sessions.outage)))
            stopping = asyncio.create_task(self._stopping.wait())
            try:
                await asyncio.wait((connection, stopping), return_when=asyncio.FIRST_COMPLETED)
                if not connection.done():
                    await self._drain(desk, sessions, self._drain_timeout)
            except asyncio.CancelledError:
                await self._drain(desk, sessions, 0.0)
                raise
            finally:
                try:
                    stopping.cancel()
                    connection.cancel()
                    await asyncio.wait((connection,))
                    for attempt in desk:
                        attempt.give_back()
                    await channel.close()
                finally:
                    desk.close()
                    self._stopping = self._desk = None
        if not connection.cancelled():
            connection.result()

    def stop(self) -> None:
        """Takes no more jobs; `run` returns when those that run have finished, or after the drain timeout without them.

        From any thread.
        """
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed in the meantime
                loop.call_soon_threadsafe(stopping.set)

    def main(self) -> None:
        """Runs until SIGTERM or SIGINT, which only the main thread hears, or `stop`. A second signal gives running jobs
        back at once.

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
            if self._desk is not None and (jobs := self._desk.running):
                _log.info(
                    "the worker stops; running jobs (%d) have %g s to finish", jobs, self._drain_timeout
                )
            else:
                _log.info("the worker stops")

        if threading.current_thread() is threading.main_thread():  # no other one hears signals
            with contextlib.suppress(NotImplementedError):  # not on Windows
                for number in (signal.SIGTERM, signal.SIGINT):
                    loop.add_signal_handler(number, interrupt)
        await running

    async def _drain(self, desk: JobTable, sessions: Sessions, timeout: float) -> None:
        """Takes no more jobs, lets those that run finish in time, gives the others back, and says goodbye."""
        desk.stop_taking()
        if not await _done(desk.idle(), timeout):
            for attempt in desk:
                attempt.give_back()
            if not await _done(desk.idle(), LAST_GRACE + 1.0):
                for attempt in desk:
                    attempt.abandon()
        if await _done(desk.empty(), self._flush_timeout):
            await sessions.finish(_GOODBYE)


async def _lost(outage: Outage, error: MilepostError, wait: float) -> None:
    """A session was lost; the next one is to be tried after so many seconds."""
    if isinstance(error, ProtocolError) or (isinstance(error, ServiceError) and error.code in _FATAL):
        raise error
    outage.lost(error)
    await asyncio.sleep(wait)


async def _done(waiting: Awaitable[None], timeout: float) -> bool:
    try:
        async with asyncio.timeout(timeout):
            await waiting
    except TimeoutError:
        return False
    return True
