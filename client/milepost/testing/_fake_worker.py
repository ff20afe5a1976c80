"""A worker without handlers: the test ends its jobs."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

from milepost.client import Cancelled, JobContext, JobFailure, StageContext, Worker
from milepost.client._arguments import check_flags, check_list, check_seconds, check_text
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._transport.token_source import Token
from milepost.client._worker.handlers import refuse_generator

__all__ = ["FakeJob", "FakeWorker", "Script", "SyncFakeWorker"]


class FakeJob:
    """A job that a `FakeWorker` has taken: it runs until the test ends it. Thread-safe.

    Attributes:
        context: For any other report: logs, artifacts, custom events, stages within stages.
    """

    def __init__(self, context: JobContext) -> None:
        """`context` is that of the handler whose task makes this."""
        self.context = context
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[dict[str, Any] | None] = self._loop.create_future()
        self._cancelled = asyncio.Event()
        self._lock = threading.Lock()
        self._has_ended = False
        self._stages: dict[str, StageContext] = {}
        context.on_cancel(self._cancelled.set)

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self.context.job_id

    @property
    def id(self) -> str:
        """The same as ``job_id``."""
        return self.job_id

    @property
    def kind(self) -> str:
        """The kind of the job."""
        return self.context.kind

    @property
    def input(self) -> dict[str, Any]:
        """The input of the job."""
        return self.context.input

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the job."""
        return self.context.labels

    @property
    def cancelled(self) -> bool:
        """Whether the worker was told to stop the job."""
        return self.context.cancelled

    def progress(self, current: float, total: float = 1.0, *, stage: str = "work", message: str = "") -> None:
        """Report progress of a stage, which starts with the first one and ends with the job, or with `end_stage`.

        Args:
            current: Progress so far.
            total: Progress at the end of the stage.
            stage: Id of the stage.
            message: What the stage does now; empty to leave it.
        """
        with self._lock:
            found = self._stages.get(stage)
            if found is None:
                found = self._stages[stage] = self.context.stage(stage, total=total)
        found.update(current, total=total, message=message or None)

    def end_stage(self, stage: str = "work") -> None:
        """End a stage as succeeded.

        Raises:
            KeyError: It had no progress yet.
        """
        self._stages[stage].__exit__(None, None, None)

    def succeed(self, result: Mapping[str, Any] | None = None) -> None:
        """End the job as succeeded.

        Raises:
            TypeError: The result is no mapping.
            RuntimeError: The test, or a cancellation, has ended the job before.
        """
        values = {**result} if result is not None else None
        self._set(lambda: self._end.set_result(values))

    def fail(self, code: str, message: str = "", *, detail: str = "", retryable: bool = False) -> None:
        """End the attempt as a handler does that raises `JobFailure`; the server retries it if it is retryable.

        Raises:
            RuntimeError: The test, or a cancellation, has ended the job before.
        """
        self._set(lambda: self._end.set_exception(JobFailure(code, message, detail, retryable)))

    def stop(self) -> None:
        """End the job as cancelled, for a worker that does not by itself (``stops_on_cancel=False``).

        Raises:
            RuntimeError: The test, or a cancellation, has ended the job before, or nobody has cancelled it.
        """
        if not self.cancelled:
            raise RuntimeError(f"Nobody has cancelled job {self.id}.")
        self._set(lambda: self._end.set_exception(Cancelled()))

    async def wait_cancelled(self) -> None:
        """Wait until the worker is told to stop the job. From the loop of the worker."""
        await self._cancelled.wait()

    async def _run(self, stops_on_cancel: Callable[[], bool]) -> dict[str, Any] | None:
        """Wait for the end of the job: what its handler does."""
        while True:
            try:
                return await asyncio.shield(self._end)
            except asyncio.CancelledError:
                if self._end.done():
                    return self._end.result()
                with self._lock:
                    if self._has_ended:  # the future resolves in a moment
                        continue
                    if stops_on_cancel():
                        self._has_ended = True
                        raise

    def _give_up(self) -> None:
        """End a job that was told to stop, and has not: its worker leaves."""
        if self.cancelled and not self._has_ended:
            self.stop()

    def _set(self, resolve: Callable[[], None]) -> None:
        with self._lock:
            if self._has_ended:
                raise RuntimeError(f"Job {self.id} has ended before.")
            self._has_ended = True
        self._loop.call_soon_threadsafe(resolve)


Script: TypeAlias = Callable[[FakeJob], Awaitable[object] | object]
"""Called for each job that a `FakeWorker` takes, in its loop; what it raises fails the job."""


class FakeWorker:
    """A worker that takes jobs of the given kinds, and leaves to the test how they end.

    It registers with the server as any other worker does, so that the application under test sees real jobs::

        async with FakeWorker(server.address, ["transcribe"]) as worker:
            job_id = await application.upload(recording)  # submits a job
            job = await worker.take()
            job.progress(0.5)
            assert await application.status(job_id) == "50 %"
            job.succeed({"words": 1204})

    Where the application waits for the job's end, give a `script`, such as ``lambda job: job.fail("NO_SPEECH")``.
    Leaving the block gives jobs that have not ended back to the server.
    """

    def __init__(
        self,
        address: str | None = None,
        kinds: Sequence[str] = (),
        *,
        script: Script | None = None,
        stops_on_cancel: bool = True,
        max_concurrency: int = 100,
        token: Token | None = None,
    ) -> None:
        """Configure the worker; entering it connects it.

        Args:
            address: The server, as for `Worker`.
            kinds: Kinds of the jobs that it takes.
            script: Called for each job; an async one may wait in between. Without it the test ends the jobs.
            stops_on_cancel: Whether a cancelled job ends as cancelled at once. If not, it goes on until the test ends
                it, or the server does after the grace period of the cancellation.
            max_concurrency: Maximum number of jobs at once.
            token: The worker's token, as for `Worker`.

        Raises:
            TypeError: An argument has the wrong type, such as a single text as the `kinds`.
            ValueError: There are no kinds, one is invalid, or the script is a generator function.
        """
        check_list(kinds, "kinds", "a list of kinds")
        check_flags(stops_on_cancel=stops_on_cancel)
        if script is not None:
            if not callable(script):
                raise TypeError(f"script is {script!r:.200}, and takes a function.")
            refuse_generator(script)
        if not kinds:
            raise ValueError("A FakeWorker needs kinds of jobs to take.")
        self._worker = Worker(address, token=token, max_concurrency=max_concurrency)
        for kind in kinds:
            self._worker.job(kind)(self._handle)
        self._script = script
        self._stops_on_cancel = stops_on_cancel
        self._waiting: list[FakeJob] = []
        self._unfinished: set[FakeJob] = set()
        self._arrived = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._is_leaving = False

    async def take(self, kind: str = "", *, timeout: float = 10.0) -> FakeJob:
        """The next job that was not returned before, of any kind if `kind` is empty. Waits for it.

        Raises:
            TimeoutError: No job came within `timeout` seconds.
            MilepostError: The worker cannot work, such as `Unauthenticated`.
            RuntimeError: The worker was not entered.
        """
        if self._running is None:
            raise RuntimeError(
                "The worker is not running: enter it, as in `async with FakeWorker(…) as worker:`."
            )
        check_text(kind=kind)
        check_seconds(timeout=timeout)
        taking = asyncio.create_task(self._take(kind))
        try:
            await asyncio.wait((taking, self._running), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                return taking.result()
        finally:
            taking.cancel()
        if self._running.done():
            self._running.result()
        raise TimeoutError(f"No job{f' of kind {kind!r}' if kind else ''} came within {timeout:g} s.")

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._worker.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._running is not None
        running = self._running
        self._is_leaving = True  # gives jobs back, also those that do not stop when they are cancelled
        for job in self._unfinished:
            job._give_up()
        running.cancel()
        await asyncio.wait((running,))
        if error is None and not running.cancelled():
            running.result()

    async def _take(self, kind: str) -> FakeJob:
        while True:
            for job in self._waiting:
                if kind in ("", job.kind):
                    self._waiting.remove(job)
                    return job
            self._arrived.clear()
            await self._arrived.wait()

    async def _handle(self, context: JobContext) -> dict[str, Any] | None:
        job = FakeJob(context)
        self._waiting.append(job)
        self._arrived.set()
        if self._script is not None:
            done = self._script(job)
            if inspect.isawaitable(done):
                await done
        self._unfinished.add(job)
        try:
            return await job._run(lambda: self._stops_on_cancel or self._is_leaving)
        finally:
            self._unfinished.discard(job)


class SyncFakeWorker:
    """`FakeWorker` for tests without asyncio: entered with plain ``with``, it runs in a thread of its own."""

    def __init__(
        self,
        address: str | None = None,
        kinds: Sequence[str] = (),
        *,
        script: Script | None = None,
        stops_on_cancel: bool = True,
        max_concurrency: int = 100,
        token: Token | None = None,
    ) -> None:
        """Configure the worker; see `FakeWorker`."""
        self._worker = FakeWorker(
            address,
            kinds,
            script=script,
            stops_on_cancel=stops_on_cancel,
            max_concurrency=max_concurrency,
            token=token,
        )
        self._thread = EventLoopThread()

    def take(self, kind: str = "", *, timeout: float = 10.0) -> FakeJob:
        """The next job; see `FakeWorker.take`."""
        return self._thread.run(self._worker.take(kind, timeout=timeout))

    def __enter__(self) -> Self:
        self._thread.run(self._worker.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._thread.run(self._worker.__aexit__(kind, error, traceback))
        finally:
            self._thread.close()
