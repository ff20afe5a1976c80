"""The calls that tasks need, for plain code, each bounded in time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Final, TypeAlias, Unpack

from milepost.client._attach import AttachCalls, AttachedJob, KeptSession, SyncAttached
from milepost.client._attach.attachment import Attachment
from milepost.client._job_calls import JobCalls
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._options import AttachOptions, ConnectionOptions
from milepost.client._transport.backoff import is_transient
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._transport.target import Target
from milepost.client._worker.spool_delivery import deliver_spool
from milepost.client.engines.celery.canvas_stamp import CanvasStamp
from milepost.client.engines.celery.parent_watches import ParentWatches
from milepost.client.engines.celery.pending_ends import PendingEnds
from milepost.client.engines.celery.process_identity import own_worker_id
from milepost.client.engines.process_session import CLOSE_TIMEOUT, ProcessSession
from milepost.client.errors import JobAlreadyExists, JobEndedError, JobNotFound, MilepostError, Unreachable
from milepost.v1 import Job, JobState, SubmitJobRequest

__all__ = [
    "CLAIM_WAIT",
    "END_TIMEOUT",
    "OUTAGE_FLUSH_TIMEOUT",
    "OUTAGE_PAUSE",
    "PARENT_CANCELLED",
    "TaskClient",
]

_logger = logging.getLogger("milepost.client")

Leaving: TypeAlias = Coroutine[None, None, BaseException | None]

OUTAGE_PAUSE: Final = 10.0
"""Seconds after an outage in which publications do not try to submit: the workers submit their jobs."""
PARENT_CANCELLED: Final = "Its parent was cancelled."
"""Reason of the cancellation of a task that was published after its parent was cancelled."""
OUTAGE_FLUSH_TIMEOUT: Final = 0.2
"""Seconds that a task waits at its end during that pause."""
CLAIM_WAIT: Final = 5.0
"""Seconds to wait for the previous attempt to end: a retry may start before its predecessor has reported its end."""
END_TIMEOUT: Final = 60.0
"""Seconds for the server to acknowledge the final end of a job, for which no task waits."""


class TaskClient:
    """Submits and claims the jobs of tasks. Each process connects on its own, with its first call."""

    def __init__(self, address: str | None, timeout: float, options: ConnectionOptions) -> None:
        """Connect nothing yet; `timeout` in seconds bounds each call."""
        self._channel = LazyChannel(Target.of(address, **options), is_patient=False)
        self._calls = JobCalls(self._channel, timeout)
        self._blocks = AttachCalls(self._channel, self._calls, timeout)
        self._parents = ParentWatches(self._channel, self._calls, self._claim_parent, timeout)
        self._timeout = timeout
        self._loop_thread = EventLoopThread()
        self._pending = PendingEnds()
        self._endings: set[asyncio.Task[BaseException | None]] = set()
        self._process_session = ProcessSession(self._channel, own_worker_id, timeout)
        # Without slots, each block opens a session.
        self._slots = 0
        self._paused_until = -OUTAGE_PAUSE

    @property
    def address(self) -> str:
        """Address of the server."""
        return self._channel.target.address

    def keep_session(self, slots: int) -> None:
        """Keep one session open between the tasks of this process, of which so many run at once."""
        self._slots = slots
        self._parents.holds = True

    @property
    def keeps_session(self) -> bool:
        """Whether tasks need not wait for what they have reported, since `close` does."""
        return self._slots > 0

    def close(self, timeout: float) -> None:
        """Wait until what was reported is acknowledged, at most so many seconds, and close the session.

        What is not acknowledged goes to the spool, if there is one, for the next process that has a job, or is logged.
        """
        self._pending.wait(self._flush_timeout(timeout))
        if self._process_session.is_open:
            with contextlib.suppress(RuntimeError, concurrent.futures.TimeoutError):
                self._loop_thread.start(self._close()).result(2 * CLOSE_TIMEOUT)

    def deliver_spool(self) -> None:
        """Begin to deliver what dead processes have left in the spool, if there is one; this does not wait."""
        if directory := os.environ.get("MILEPOST_SPOOL"):
            delivery = deliver_spool(Path(directory), self._channel, own_worker_id(), self._timeout)
            self._loop_thread.start(delivery)

    def submit(self, request: SubmitJobRequest) -> JobSnapshot | None:
        """Submit a job; None if the server is away, or was a moment ago."""
        if self._is_paused:
            return None
        try:
            return self._loop_thread.run(asyncio.wait_for(self._submit(request), self._timeout))
        except TimeoutError:
            self._pause(f"{self.address} did not answer within {self._timeout:g} s.")
        except MilepostError as error:
            if not is_transient(error, connected_before=False):
                raise
            self._pause(error)
        return None

    def note_outage(self) -> None:
        """Note that a task found no server from its start to its end."""
        self._pause(f"{self.address} did not answer while a task ran.")

    def get(self, job_id: str) -> Job:
        """The current state of a job.

        Raises:
            MilepostError: There is no such job, or no answer.
        """
        return self._loop_thread.run(self._calls.get(job_id)).job

    def cancel_quietly(self, job_id: str, reason: str) -> None:
        """Cancel a job whose task will not run; an error goes to the log."""
        try:
            self._loop_thread.run(self._calls.cancel(job_id, reason, None))
        except (MilepostError, RuntimeError) as error:
            _logger.warning("job %s: cancelling it failed: %s", job_id, error)

    def cancel_unstarted(self, job_id: str, reason: str) -> None:
        """`cancel_quietly`, unless a worker has started the job's task."""
        try:
            job = self.get(job_id)
        except (MilepostError, RuntimeError) as error:
            _logger.warning("job %s: cancelling it failed: %s", job_id, error)
            return
        if job.state == JobState.JOB_STATE_QUEUED and not job.attempt:
            self.cancel_quietly(job_id, reason)

    def end(
        self,
        leaving: Leaving,
        job: AttachedJob,
        canvas: str,
        *,
        waits: bool,
        is_final: bool,
        timeout: float,
        record: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        """Report the end of a task to its job, and end the parent of its canvas if it was the last.

        The final end of a job is reported until the server has it, at most for `END_TIMEOUT`. The end of an attempt
        that another one follows must be over when that starts.

        Args:
            leaving: Of `SyncAttached.leave`.
            job: The job.
            canvas: The text of its `CanvasStamp`, unless the task will run again; empty for none.
            waits: Whether to wait for the acknowledgement in any case.
            is_final: Whether the job ends with this.
            timeout: Seconds to wait; less while the server is known to be away.
            record: Waits until a final end is in the spool; None without one.
        """
        if job.attempt == 0 and self.keeps_session:
            self.note_outage()
        seconds = self._flush_timeout(timeout)
        goes_on = is_final and self.keeps_session
        try:
            ending = self._loop_thread.start(self._end(leaving, job, canvas, None if goes_on else seconds))
        except RuntimeError as closed:
            leaving.close()
            _logger.warning("the end of job %s cannot be reported: %s", job.id, closed)
            return
        if not goes_on:
            ending.result()
            return
        if waits:
            concurrent.futures.wait((ending,), seconds)
        elif record is not None:
            with contextlib.suppress(TimeoutError):
                self._loop_thread.start(record()).result(seconds)
        self._pending.add(ending, seconds)

    def begin_canvas(self, canvas: CanvasStamp) -> None:
        """Hold the parent of a canvas while this process lives, unless another one does; this does not wait."""
        with contextlib.suppress(RuntimeError):  # the process ends
            self._loop_thread.start(self._parents.begin(canvas))

    def end_canvas(self, canvas: CanvasStamp) -> None:
        """End the parent of a canvas if the task that has just ended was its last, and otherwise look again later."""
        with contextlib.suppress(RuntimeError):  # the process ends
            self._pending.add(self._loop_thread.start(self._parents.check(canvas)), self._timeout)

    def watch_canvas(self, canvas: CanvasStamp) -> None:
        """Look at the parent of a canvas from now on; this does not wait."""
        with contextlib.suppress(RuntimeError):
            self._loop_thread.start(self._parents.add(canvas))

    def block(
        self, request: SubmitJobRequest, kill: Callable[[], object] | None, **options: Unpack[AttachOptions]
    ) -> SyncAttached:
        """The block of a job that is submitted unless it was before.

        Entering it raises what `Client.start` raises.
        """

        async def find() -> str:
            return (await self._submit(request)).job_id

        return self._entering(request, find, kill, options)

    def submitted_block(
        self, request: SubmitJobRequest, kill: Callable[[], object] | None, **options: Unpack[AttachOptions]
    ) -> SyncAttached:
        """The block of the job of `request`, which was submitted before.

        Entering it raises what `Client.attach` raises.
        """

        async def find() -> str:
            return request.job_id

        return self._entering(request, find, kill, options)

    def _entering(
        self,
        request: SubmitJobRequest,
        find: Callable[[], Awaitable[str]],
        kill: Callable[[], object] | None,
        options: AttachOptions,
    ) -> SyncAttached:
        # The block begins without waiting while an outage is known, and connects while it runs.
        outage = [Unreachable(self.address, "it was away a moment ago")] if self._is_paused else []

        async def find_unless_away() -> str:
            if outage:
                raise outage.pop()
            return await find()

        if self.keeps_session:
            options["flush_timeout"] = END_TIMEOUT
        offline = Job(job_id=request.job_id, kind=request.kind, labels=request.labels, input=request.input)
        return SyncAttached(
            self._blocks.attach_found(
                find_unless_away, offline, kill, self._session if self.keeps_session else None, **options
            ),
            self._loop_thread,
        )

    def _session(self) -> KeptSession:
        return self._process_session.get(self._slots)

    def _claim_parent(self, job_id: str, instance: str, wait: float) -> Attachment:
        async def find() -> str:
            return job_id

        kept = self._session if self.keeps_session else None
        options = AttachOptions(instance=instance or None, wait=wait, worker_id=own_worker_id())
        return self._blocks.attach_found(find, Job(job_id=job_id), None, kept, **options).attachment

    async def _close(self) -> None:
        """Give up the ends that wait: each writes what it has to the spool. Then close the session."""
        await asyncio.sleep(0)  # one that was cancelled before it begins would write nothing
        for ending in self._endings:
            ending.cancel()
        if self._endings:
            await asyncio.wait(self._endings)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._parents.close(), CLOSE_TIMEOUT)
        await self._process_session.close()

    async def _end(self, leaving: Leaving, job: AttachedJob, canvas: str, timeout: float | None) -> None:
        ending = asyncio.ensure_future(leaving)
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        try:
            refused = await asyncio.wait_for(ending, timeout)
        except TimeoutError:
            refused = None
        except MilepostError as error:
            refused = error
        if refused is not None:
            _logger.info("job %s has ended in another way than its task: %r", job.id, refused)
        if job.attempt == 0:
            self.note_outage()
            return
        self._paused_until = min(self._paused_until, time.monotonic())
        if canvas:
            await self._parents.check(CanvasStamp.from_text(canvas))

    async def _submit(self, request: SubmitJobRequest) -> JobSnapshot:
        """Submit a job, without its parent if that is gone, and as it is if it exists already."""
        try:
            return await self._calls.submit(request)
        except JobAlreadyExists:
            return JobSnapshot((await self._calls.get(request.job_id)).job)
        except (JobNotFound, JobEndedError) as error:
            if not request.parent_job_id:
                raise
            return await self._submit_without_parent(request, error)

    async def _submit_without_parent(self, request: SubmitJobRequest, error: MilepostError) -> JobSnapshot:
        """Submit a job whose parent is gone; if that is cancelled, cancel this one, so that its task does not run."""
        parent_job_id = request.parent_job_id
        request.ClearField("parent_job_id")
        _logger.info("job %s is submitted without its parent: %s", request.job_id, error)
        job = await self._calls.submit(request)
        if isinstance(error, JobEndedError):
            parent = (await self._calls.get(parent_job_id)).job
            if parent.state in (JobState.JOB_STATE_CANCELLING, JobState.JOB_STATE_CANCELLED):
                return await self._calls.cancel(request.job_id, PARENT_CANCELLED, None)
        return job

    def _flush_timeout(self, seconds: float) -> float:
        """Seconds to wait at the end of a task: less while the server is known to be away."""
        return min(seconds, OUTAGE_FLUSH_TIMEOUT) if self._is_paused else seconds

    @property
    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until

    def _pause(self, error: object) -> None:
        """Note an outage; log the first of several in a row."""
        is_known = time.monotonic() < self._paused_until + OUTAGE_PAUSE
        self._paused_until = time.monotonic() + OUTAGE_PAUSE
        if not is_known:
            _logger.warning("Milepost is away; tasks are published and run without waiting for it: %s", error)
