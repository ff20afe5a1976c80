"""Run a handler without a server and a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from milepost.client._arguments import build_request, check_callbacks
from milepost.client._conversion import to_stages, to_struct
from milepost.client._worker.handlers import Handler, RegisteredHandler, job_ended, run_mode_of
from milepost.client._worker.in_process_runner import start_handler
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import ProgressSource, Reporter
from milepost.fold import planned
from milepost.testing._handler_run import HandlerRun, Recording
from milepost.v1 import CancelAcknowledged, Cancellation, CancelRequested, Event, Job, JobState, Stage, Update

__all__ = ["run_handler", "run_handler_async"]


def run_handler(
    handler: Handler,
    input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
    *,
    kind: str = "test",
    job_id: str = "test-job",
    labels: Mapping[str, str] | None = None,
    attempt: int = 1,
    stages: Sequence[Stage | str] = (),
    cancel_when: Callable[[HandlerRun], bool] | None = None,
) -> HandlerRun:
    """Run a handler to its end, in an event loop of its own, and return what it reported. Needs no server.

    An async handler runs as a task and a plain one in a thread, also one that is registered with ``run="process"``.

    Args:
        handler: The handler, as decorated with ``@worker.job``, or any function that takes a `JobContext`.
        input: Input of the job: JSON values.
        kind: Kind of the job.
        job_id: Id of the job.
        labels: Labels of the job.
        attempt: Number of the attempt, from 1.
        stages: Stages that were planned at submission.
        cancel_when: Called after each report with the run so far; the job is cancelled the first time it is true. It
            runs in the thread of the handler, must not block, and what it raises is raised by the handler's report.

    Returns:
        The run. An exception that left the handler is its `error`, and is not raised.

    Raises:
        TypeError: The input holds a value that JSON cannot represent.
        ValueError: The input holds a number that JSON cannot represent, or the handler is a generator function.
        RuntimeError: An event loop is running: use `run_handler_async`.
    """
    if _loop_is_running():
        raise RuntimeError("An event loop is running: use `await run_handler_async(…)` in async tests.")
    # With a factory, the runner leaves the current event loop of the thread alone.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(
            run_handler_async(
                handler,
                input,
                kind=kind,
                job_id=job_id,
                labels=labels,
                attempt=attempt,
                stages=stages,
                cancel_when=cancel_when,
            )
        )


async def run_handler_async(
    handler: Handler,
    input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
    *,
    kind: str = "test",
    job_id: str = "test-job",
    labels: Mapping[str, str] | None = None,
    attempt: int = 1,
    stages: Sequence[Stage | str] = (),
    cancel_when: Callable[[HandlerRun], bool] | None = None,
) -> HandlerRun:
    """`run_handler` in the running event loop. If this coroutine is cancelled, the handler is interrupted too.

    Raises:
        TypeError: The input holds a value that JSON cannot represent.
        ValueError: The input holds a number that JSON cannot represent, or the handler is a generator function.
    """
    function = handler.function if isinstance(handler, RegisteredHandler) else handler
    run_mode_of(function, None)
    check_callbacks(cancel_when=cancel_when)
    submitted = build_request(
        Job,
        job_id=job_id,
        kind=kind,
        labels=labels,
        attempt=attempt,
        state=JobState.JOB_STATE_QUEUED,
        input=to_struct(input, "input") if input is not None else None,
        stages=[planned(stage) for stage in to_stages(stages)],
    )
    loop = asyncio.get_running_loop()
    recording = Recording(submitted)
    run = HandlerRun(recording)

    def interrupt() -> None:
        control.cancel_signal.set()
        running.interrupt()

    def cancel() -> None:
        control.cancel_signal.mark()  # at once, for a handler in a thread
        loop.call_soon_threadsafe(interrupt)

    reporter = _RecordingReporter(
        recording, (lambda: cancel_when(run)) if cancel_when is not None else lambda: False, cancel
    )
    control = JobControl(run.job.proto, reporter)
    running = start_handler(function, JobContext(control), reporter)
    try:
        outcome = await asyncio.shield(running.outcome)
    except asyncio.CancelledError:
        interrupt()
        raise
    recording.record_error(outcome.error)
    reporter.end(Update(job_ended=job_ended(outcome, control.warnings.add, cancelled=reporter.cancelled)))
    return run


class _RecordingReporter(Reporter):
    """Records each update at once, progress included, and after each one decides whether to cancel the job.

    Attributes:
        cancelled: Whether the job was cancelled.
    """

    def __init__(
        self, recording: Recording, is_cancel_due: Callable[[], bool], cancel: Callable[[], None]
    ) -> None:
        super().__init__(lambda: None)
        self.cancelled = False
        self._recording = recording
        self._is_cancel_due = is_cancel_due
        self._cancel = cancel
        self._has_ended = False

    @property
    def uncongested(self) -> bool:
        """False, so that stages pass each change of their progress to `schedule_progress`."""
        return False

    def add_locked(self, update: Update, *, droppable: bool = False) -> None:
        """Record an update, and cancel the job if its time has come."""
        if self._has_ended:
            return
        self._recording.record_update(update)
        if not self.cancelled and self._is_cancel_due():
            self.cancelled = True
            self._recording.record(Event(cancel_requested=CancelRequested(cancellation=Cancellation())))
            self._recording.record_update(Update(cancel_acknowledged=CancelAcknowledged()))
            self._cancel()

    def schedule_progress(self, source: ProgressSource) -> None:
        """Record the progress now: a tick would make the record depend on time."""
        update = source()
        if update is not None:
            self.add_locked(update)

    def end(self, update: Update) -> None:
        """Record the end of the job; later updates are ignored."""
        with self.lock:
            self._recording.record_update(update)
            self._has_ended = True


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
