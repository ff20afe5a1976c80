"""The parent of a canvas, which no code of its own runs: a process of its tasks holds it, and ends it with the last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from milepost.client._attach.attachment import Attachment
from milepost.client._job_calls import JobCalls, job_filter
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client.engines.celery.canvas_stamp import CanvasStamp
from milepost.client.engines.celery.process_identity import instance_of, is_dead, own_worker_id
from milepost.client.errors import JobEndedError, JobFailure, LeaseLost
from milepost.contract.job_states import ACTIVE, LEASED, has_ended
from milepost.v1 import Job, JobState

__all__ = ["QUIET_TIME", "CanvasParent", "ClaimParent"]

QUIET_TIME: Final = 5.0
"""Seconds without a new task after which a nested canvas with a failure has none left to publish."""

ClaimParent: TypeAlias = Callable[[str, str, float], Attachment]
"""Makes the claim of a job: its id, the instance (empty for none), and seconds to wait while another one has it."""

_TAKEOVER_WAIT: Final = 5.0


class CanvasParent:
    """One parent, as this process sees it: the methods are called one at a time.

    The first process that runs a task of the canvas claims the parent, which is RUNNING from then on, and keeps its
    lease until the last task has ended. If that process ends, or dies, another one with a task of the canvas takes the
    parent over. The server accepts one end, whoever reports it.
    """

    def __init__(self, calls: JobCalls, claim: ClaimParent, canvas: CanvasStamp, *, holds: bool) -> None:
        """`holds` says whether this process may keep the lease, since it runs tasks; otherwise it only ends parents."""
        self._calls = calls
        self._claim = claim
        self._canvas = canvas
        self._holds = holds
        self._held: Attachment | None = None
        # The number of children, all ended, and the time since when it is the same.
        self._quiet: tuple[int, float] = 0, 0.0

    @property
    def is_held(self) -> bool:
        """Whether this process has the parent."""
        return self._held is not None and self._held.stop is None

    async def begin(self, on_stop: Callable[[], None]) -> bool:
        """Take the parent, since a task of the canvas starts here, unless another process has it; whether it has ended.

        Args:
            on_stop: Called when the parent was cancelled, or its lease lost; see `check`.

        Raises:
            MilepostError: There is no such job, or no answer.
        """
        job = (await self._calls.get(self._canvas.parent_job_id)).job
        if self._held is None and (job.state == JobState.JOB_STATE_QUEUED or _holder_is_dead(job)):
            await self._take(job, on_stop)
        return has_ended(job)

    async def check(self, now: float, on_stop: Callable[[], None]) -> bool:
        """End the parent if it is time, and take it if nobody has it while a task runs; whether it has ended.

        Args:
            now: Time in seconds, of any clock that never goes back.
            on_stop: As for `begin`.

        Raises:
            MilepostError: There is no such job, or no answer.
        """
        if self._held is not None and self._held.stop is not None:
            await self._leave(Cancelled())
        job = (await self._calls.get(self._canvas.parent_job_id)).job
        if has_ended(job):
            if self._held is not None:
                await self._leave(Cancelled())
            return True
        if self._held is None and job.state in LEASED and not _holder_is_dead(job):
            return False  # whoever has it ends it
        is_over, failure = False, None
        if not await self._has_child(ACTIVE):
            is_over, failure = await self._look_at_all(job, now)
        if not is_over and not (self._held is None and self._holds and await self._has_child(LEASED)):
            return False
        if self._held is None and not await self._take(job, on_stop):
            return False  # another process has ended it just before
        if not is_over:
            return False
        await self._leave(failure)
        return has_ended((await self._calls.get(job.job_id)).job)

    async def give_back(self) -> None:
        """Leave the parent to other processes, if this one has it: it is QUEUED until one takes it."""
        held, self._held = self._held, None
        if held is not None:
            await held.give_back()

    # Private.

    async def _take(self, job: Job, on_stop: Callable[[], None]) -> bool:
        """Claim the parent, at once, or from a process that is dead; whether this process has it now."""
        dead = _holder_is_dead(job)
        secret, holder = self._canvas.secret, job.worker_id if dead else own_worker_id()
        instance = instance_of(secret, holder) if secret else ""
        held = self._claim(job.job_id, instance, _TAKEOVER_WAIT if dead and secret else 0.0)
        try:
            await held.claim(on_stop)
        except (LeaseLost, JobEndedError, Cancelled):
            return False
        self._held = held
        return True

    async def _leave(self, error: BaseException | None) -> None:
        """End the parent; what does not reach the server ends the lease, and the next check starts over."""
        held, self._held = self._held, None
        if held is not None:
            await held.end(error)

    async def _has_child(self, states: Iterable[JobState.ValueType]) -> bool:
        query = job_filter(parent_job_id=self._canvas.parent_job_id, states=sorted(states))
        async for _ in self._calls.list(query, "", 1):
            return True
        return False

    async def _look_at_all(self, parent: Job, now: float) -> tuple[bool, JobFailure | None]:
        """Whether no task is left to run, and the failure of the parent; None if all children have succeeded."""
        everyone = self._calls.list(job_filter(parent_job_id=parent.job_id), "submit_time", 0)
        children = [child.proto async for child in everyone]
        if not all(has_ended(child) for child in children):
            return False, None  # another child was published meanwhile
        failure = _failure_among(children)
        return self._is_over(parent, len(children), now, has_failed=failure is not None), failure

    def _is_over(self, parent: Job, count: int, now: float, *, has_failed: bool) -> bool:
        """Whether no task is left to run now that all of so many children have ended."""
        if not has_failed or count >= parent.planned_children:
            return count >= parent.planned_children
        certain = self._canvas.certain_tasks
        if certain is not None:
            return count >= certain
        if self._quiet[0] != count:
            self._quiet = count, now
        return now - self._quiet[1] >= QUIET_TIME


def _holder_is_dead(job: Job) -> bool:
    return job.state in LEASED and is_dead(job.worker_id)


def _failure_among(children: Sequence[Job]) -> JobFailure | None:
    """The failure of the parent; None if all children have succeeded."""
    for child in children:
        if child.state != JobState.JOB_STATE_SUCCEEDED:
            state = JobState.Name(child.state).removeprefix("JOB_STATE_")
            why = child.failure.message or child.cancellation.reason
            return JobFailure("CHILD_FAILED", f"{child.kind} {child.job_id} is {state}{why and ': '}{why}")
    return None
