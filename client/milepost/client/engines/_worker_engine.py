"""The engine of Milepost itself: jobs wait in the server's queue for a worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading

from milepost.client._client import Client
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._worker.worker import Worker
from milepost.client.engines.engine_port import EngineSettings, Submission

__all__ = ["WorkerEngine", "create"]


class WorkerEngine:
    """Runs a pipeline with one `Worker` for each kind.

    So a job that waits for its children takes no place from them, as long as no kind is its own child.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._workers: list[Worker] = []
        self._stop_requested = False
        self._has_run = False

    async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
        """Put the job into the server's queue."""
        return await client.submit(
            submission.kind,
            submission.input,
            start_deadline=submission.start_deadline,
            **submission.options,
        )

    async def enqueue(self, client: Client, job: JobSnapshot, parent_attempt: int) -> None:
        """Do nothing: each job that waits is in the server's queue."""

    def main(self) -> None:
        """Run jobs until SIGTERM or SIGINT; a second signal gives running ones back at once."""
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(self._main())

    async def run(self) -> None:
        """Run jobs until `stop`; the first time not at all if that came before. It raises what `Worker.run` does."""
        if self._has_run:
            self._stop_requested = False  # as in `Worker.run`
        self._has_run = True
        process = f"{socket.gethostname()[:60]}-{os.getpid()}"
        for kind, registered in self._settings.functions.items():
            worker = Worker(
                self._settings.address,
                worker_id=f"{process}-{kind}",
                max_concurrency=self._settings.concurrency,
                **self._settings.connection,
            )
            worker.job(kind, registered.run)(registered.function)
            self._workers.append(worker)
        if self._stop_requested:  # read after `_workers` is set: `stop` writes and reads the other way round
            self.stop()
        running = [asyncio.create_task(worker.run()) for worker in self._workers]
        try:
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            self._workers.clear()

    def stop(self) -> None:
        """Accept no more jobs; `run` returns when the running ones have ended. Thread-safe; see `Worker.stop`."""
        self._stop_requested = True
        for worker in tuple(self._workers):
            worker.stop()

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        running = asyncio.create_task(self.run())
        signals = 0

        def interrupt() -> None:
            nonlocal signals
            signals += 1
            if signals == 1:
                self.stop()
            else:
                running.cancel()

        if threading.current_thread() is threading.main_thread():  # only this one receives signals
            with contextlib.suppress(NotImplementedError):  # not on Windows
                for number in (signal.SIGTERM, signal.SIGINT):
                    loop.add_signal_handler(number, interrupt)
        await running


def create(settings: EngineSettings) -> WorkerEngine:
    """Make the engine."""
    return WorkerEngine(settings)
