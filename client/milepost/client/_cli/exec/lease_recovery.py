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

__all__ = ["LeaseHolder", "Recovery", "recovery_for"]

_log = logging.getLogger("milepost.client")

# Seconds between two looks at a job that another one may have, or at a server that cannot be reached.
_POLL_INTERVAL: Final = 1.0
# Seconds between two looks at how long a cancelled command has to stop, which may have become less.
_CANCELLED_POLL_INTERVAL: Final = 0.5
# Part of the time that it has: the rest is for ending it, before it is taken for one that cannot be ended.
_GRACE_FRACTION: Final = 0.9
# Tries to get hold of a job whose command has ended, so that its end can be told.
_CLAIM_LIMIT: Final = 3
# What says that the job is not, or not any more, this process's.
_LEASE_GONE: Final = (LeaseLost, JobEndedError, JobNotFound)


class Recovery(enum.Enum):
    """What becomes of a command whose lease is lost."""

    CLAIM = enum.auto()
    CONTINUE_ALONE = enum.auto()
    STOP = enum.auto()
    RETRY = enum.auto()


def recovery_for(job: Job | None, attempt: int) -> Recovery:
    """What to do with a command that holds the lease of `attempt` no more. It is stopped only where it has a successor.

    Args:
        job: As it is now; None where it was deleted.
        attempt: The number of the attempt that the command was started for.
    """
    if job is None or job.state == JobState.JOB_STATE_LOST:
        return Recovery.CONTINUE_ALONE
    if job.state == JobState.JOB_STATE_QUEUED:
        return Recovery.CLAIM
    if has_ended(job) or job.attempt > attempt:
        return Recovery.STOP
    return Recovery.RETRY


class LeaseHolder:
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
        if not await self._run_attempt(attached):
            await self._recover()

    async def _run_attempt(self, attached: Attached) -> bool:
        """Runs the command in an attempt at the job; False where that was over before the command."""
        attempt = self._attempt
        try:
            async with attached as job:
                self._job_id, self._attempt = job.id, job.attempt
                if attempt:
                    text = "The lease ran out while the server did not hear from this process; the command goes on."
                    job.log(text, severity="warning")
                await self._run_command(attached, job)
        except _LEASE_GONE:
            if self._attempt == attempt:
                raise  # it was not claimed
            return False
        return True

    async def _run_command(self, attached: Attached, job: AttachedJob) -> None:
        execution = self._execution
        with execution.reporter.begin_attempt(job):
            try:
                job.raise_if_cancelled()
                if not execution.started:
                    execution.environment["MILEPOST_JOB_ID"] = job.id
                    execution.start()
                await execution.wait()
            except asyncio.CancelledError:
                if execution.started and not isinstance(attached.attachment.stop, MilepostError):
                    await execution.stop(self._grace_period())
                raise
        job.result = {"exit_status": execution.status}

    async def _recover(self) -> None:
        """The lease is lost: finds out what that means for the command."""
        tries = 0
        while True:
            job, known = await self._fetch_job()
            match recovery_for(job, self._attempt) if known else Recovery.RETRY:
                case Recovery.CONTINUE_ALONE:
                    state = "LOST" if job is not None else "deleted"
                    _log.warning("job %s is %s; the command goes on without it", self._job_id, state)
                    await self._execution.wait()
                    return
                case Recovery.STOP:
                    if not self._execution.has_ended:
                        self.job = job
                        _log.warning(
                            "job %s has another attempt or has ended; the command is stopped", self._job_id
                        )
                        await self._execution.stop(asyncio.sleep(self._grace))
                    await self._execution.wait()
                    return
                case Recovery.CLAIM if await self._reclaim():
                    return
            tries += self._execution.has_ended
            if tries == _CLAIM_LIMIT:
                _log.warning("job %s: how the command ended cannot be told", self._job_id)
                await self._execution.wait()
                return
            await asyncio.sleep(_POLL_INTERVAL)

    async def _fetch_job(self) -> tuple[Job | None, bool]:
        """The job, None where it was deleted; and whether that is known."""
        try:
            return (await self._client.get(self._job_id)).proto, True
        except JobNotFound:
            return None, True
        except MilepostError as error:
            _log.info("job %s: its state is not known: %s", self._job_id, error)
            return None, False

    async def _reclaim(self) -> bool:
        """Whether the command has ended in an attempt at the job."""
        try:
            return await self._run_attempt(self._claim(self._job_id))
        except MilepostError as error:
            _log.info("job %s was not claimed again: %s", self._job_id, error)
            return False

    async def _grace_period(self) -> None:
        """Returns once a command whose job is cancelled had time enough: the grace, or what its job leaves it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._grace
        while (left := until - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    job = await self._client.get(self._job_id)
            except (MilepostError, TimeoutError):
                pass  # the server is gone, but the command may handle its time all the same
            else:
                if has_ended(job):
                    return
                if job.state == JobState.JOB_STATE_CANCELLING:
                    until = min(until, loop.time() + _GRACE_FRACTION * remaining_grace(job.cancellation))
            await asyncio.sleep(max(min(until - loop.time(), _CANCELLED_POLL_INTERVAL), 0.0))
