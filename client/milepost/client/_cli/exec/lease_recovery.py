"""Whose the job is while a command does its work, also after this process was away for longer than its lease."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable
from typing import Final

from milepost.client._attach import Attached, AttachedJob
from milepost.client._cli.exec.execution import Execution
from milepost.client._client import Client
from milepost.client._worker.grace_period import remaining_grace
from milepost.client.errors import JobEndedError, JobNotFound, LeaseLost, MilepostError
from milepost.contract.job_states import has_ended
from milepost.v1 import Job, JobState

__all__ = ["Holder", "Next", "next_step"]

_log = logging.getLogger("milepost.client")

# Seconds between two looks at a job that another one may have, or at a server that cannot be reached.
_LOOK: Final = 1.0
# Seconds between two looks at how long a cancelled command has to stop, which may have become less.
_LOOK_CANCELLED: Final = 0.5
# Part of the time that it has: the rest is for ending it, before it is taken for one that cannot be ended.
_SHARE: Final = 0.9
# Tries to get hold of a job whose command has ended, so that its end can be told.
_TRIES: Final = 3
# What says that the job is not, or not any more, this process's.
_OVER: Final = (LeaseLost, JobEndedError, JobNotFound)


class Next(enum.Enum):
    """What becomes of a command whose lease is lost."""

    CLAIM = enum.auto()
    RUN_ON = enum.auto()
    STOP = enum.auto()
    LOOK_AGAIN = enum.auto()


def next_step(job: Job | None, attempt: int) -> Next:
    """What to do with a command that holds the lease of `attempt` no more. It is stopped only where it has a successor.

    Args:
        job: As it is now; None where it was deleted.
        attempt: The number of the attempt that the command was started for.
    """
    if job is None or job.state == JobState.JOB_STATE_LOST:
        return Next.RUN_ON
    if job.state == JobState.JOB_STATE_QUEUED:
        return Next.CLAIM
    if has_ended(job) or job.attempt > attempt:
        return Next.STOP
    return Next.LOOK_AGAIN


class Holder:
    """Holds a job for as long as a command runs.

    When its lease is lost, as after a cut or a pause that was longer, it finds out who has the job. A job that waits
    for another attempt is claimed again, and the same command goes on with that one. A command whose job is LOST goes
    on without it. One that was succeeded by another attempt, or whose job has ended otherwise, is stopped.

    Attributes:
        job: The job that the command was stopped for, as it was then; None otherwise.
    """

    def __init__(
        self, client: Client, execution: Execution, grace: float, claim: Callable[[str], Attached]
    ) -> None:
        """`claim` claims the job again; the command has `grace` seconds to stop."""
        self.job: Job | None = None
        self._client = client
        self._execution = execution
        self._grace = grace
        self._claim = claim
        self._job_id = ""
        # The number of the attempt that this process has, or had last.
        self._attempt = 0

    async def run(self, attached: Attached) -> None:
        """Claims the job and runs the command to its end.

        Raises:
            MilepostError: The job was not claimed, or was taken away.
            JobFailure: The command failed.
            Cancelled: The job was cancelled.
        """
        if not await self._hold(attached):
            await self._go_on()

    async def _hold(self, attached: Attached) -> bool:
        """Runs the command in an attempt at the job; False where that was over before the command."""
        attempt = self._attempt
        try:
            async with attached as job:
                self._job_id, self._attempt = job.id, job.attempt
                if attempt:
                    text = "The lease ran out while the server did not hear from this process; the command goes on."
                    job.log(text, severity="warning")
                await self._work(attached, job)
        except _OVER:
            if self._attempt == attempt:
                raise  # it was not claimed
            return False
        return True

    async def _work(self, attached: Attached, job: AttachedJob) -> None:
        execution = self._execution
        with execution.telling.report_to(job):
            try:
                job.raise_if_cancelled()
                if not execution.started:
                    execution.environment["MILEPOST_JOB_ID"] = job.id
                    execution.start()
                await execution.wait()
            except asyncio.CancelledError:
                if execution.started and not isinstance(attached.attachment.stop, MilepostError):
                    await execution.stop(self._patience())
                raise
        job.result = {"exit_status": execution.status}

    async def _go_on(self) -> None:
        """The lease is lost: finds out what that means for the command."""
        tries = 0
        while True:
            job, known = await self._look()
            match next_step(job, self._attempt) if known else Next.LOOK_AGAIN:
                case Next.RUN_ON:
                    state = "LOST" if job is not None else "deleted"
                    _log.warning("job %s is %s; the command goes on without it", self._job_id, state)
                    await self._execution.wait()
                    return
                case Next.STOP:
                    if not self._execution.has_ended:
                        self.job = job
                        _log.warning(
                            "job %s has another attempt or has ended; the command is stopped", self._job_id
                        )
                        await self._execution.stop(asyncio.sleep(self._grace))
                    await self._execution.wait()
                    return
                case Next.CLAIM if await self._claim_again():
                    return
            tries += self._execution.has_ended
            if tries == _TRIES:
                _log.warning("job %s: how the command ended cannot be told", self._job_id)
                await self._execution.wait()
                return
            await asyncio.sleep(_LOOK)

    async def _look(self) -> tuple[Job | None, bool]:
        """The job, None where it was deleted; and whether that is known."""
        try:
            return (await self._client.get(self._job_id)).proto, True
        except JobNotFound:
            return None, True
        except MilepostError as error:
            _log.info("job %s: its state is not known: %s", self._job_id, error)
            return None, False

    async def _claim_again(self) -> bool:
        """Whether the command has ended in an attempt at the job."""
        try:
            return await self._hold(self._claim(self._job_id))
        except MilepostError as error:
            _log.info("job %s was not claimed again: %s", self._job_id, error)
            return False

    async def _patience(self) -> None:
        """Returns once a command whose job is cancelled had time enough: the grace, or what its job leaves it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._grace
        while (left := until - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    job = await self._client.get(self._job_id)
            except (MilepostError, TimeoutError):
                pass  # the server is gone, but the command may take its time all the same
            else:
                if has_ended(job):
                    return
                if job.state == JobState.JOB_STATE_CANCELLING:
                    until = min(until, loop.time() + _SHARE * remaining_grace(job.cancellation))
            await asyncio.sleep(max(min(until - loop.time(), _LOOK_CANCELLED), 0.0))
