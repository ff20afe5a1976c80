"""Hold the lease of a command's job, and recover when the lease expires while the command runs."""

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
from milepost.client.errors import (
    JobEndedError,
    JobNotFound,
    LeaseLost,
    MilepostError,
    PermissionDenied,
    Unauthenticated,
)
from milepost.contract.job_states import has_ended
from milepost.v1 import Job, JobState

__all__ = ["LeaseHolder", "Recovery", "recovery_for"]

_logger = logging.getLogger("milepost.client")

# Seconds between two checks of a job after its lease was lost.
_POLL_INTERVAL: Final = 1.0
# Seconds between two checks of the grace period of a cancelled command, which may have been shortened.
_CANCELLED_POLL_INTERVAL: Final = 0.5
# Fraction of the grace period before SIGKILL; the rest is for reporting, before the server ends the job by force.
_GRACE_FRACTION: Final = 0.9
# Maximum attempts to reclaim a job whose command has ended, in order to report its end.
_CLAIM_LIMIT: Final = 3
# Errors that mean this process does not hold the job, or no longer does.
_LEASE_LOST_ERRORS: Final = (LeaseLost, JobEndedError, JobNotFound)


class Recovery(enum.Enum):
    """The ways to recover a command whose lease is lost."""

    CLAIM = enum.auto()
    CONTINUE_ALONE = enum.auto()
    STOP = enum.auto()
    RETRY = enum.auto()


def recovery_for(job: Job | None, attempt: int) -> Recovery:
    """Decide about a command that lost the lease of `attempt`. It is stopped only if another attempt replaced it.

    Args:
        job: The current job; None if it was deleted.
        attempt: Number of the attempt that the command runs for.
    """
    if job is None or job.state == JobState.JOB_STATE_LOST:
        return Recovery.CONTINUE_ALONE
    if job.state == JobState.JOB_STATE_QUEUED:
        return Recovery.CLAIM
    if has_ended(job) or job.attempt > attempt:
        return Recovery.STOP
    return Recovery.RETRY


class LeaseHolder:
    """Holds the lease of a job while a command runs.

    When the lease is lost, as after a long disconnection or suspension, it checks the job. A queued job is reclaimed
    for the same command. If the job is LOST, the command continues without it. If another attempt runs, or the job has
    ended otherwise, the command is stopped.

    Attributes:
        job: The job, if the command was stopped because of its state; None otherwise.
    """

    def __init__(
        self, client: Client, execution: Execution, grace: float, claim: Callable[[str], Attached]
    ) -> None:
        """Hold jobs for `execution`; `claim` reclaims a job, `grace` is the time to stop in seconds."""
        self.job: Job | None = None
        self._client = client
        self._execution = execution
        self._grace = grace
        self._claim = claim
        self._job_id = ""
        # Number of the attempt that this process holds, or held last.
        self._attempt = 0

    async def run(self, attached: Attached) -> None:
        """Claim the job and run the command to its end.

        Raises:
            MilepostError: The job was not claimed, or another attempt replaced this one.
            JobFailure: The command failed.
            Cancelled: The job was cancelled.
        """
        if not await self._run_attempt(attached):
            await self._recover()

    async def _run_attempt(self, attached: Attached) -> bool:
        """Run the command in an attempt at the job. Return False if the attempt ended before the command."""
        attempt = self._attempt
        try:
            async with attached as job:
                self._job_id, self._attempt = job.id, job.attempt
                if attempt:
                    _logger.warning("job %s: the lease ran out; claimed again for the same command", job.id)
                    text = "The lease ran out while the server did not hear from this process; the command goes on."
                    job.log(text, severity="warning")
                await self._run_command(attached, job)
        except _LEASE_LOST_ERRORS:
            if self._attempt == attempt:
                # The job was never claimed.
                raise
            return False
        except (Unauthenticated, PermissionDenied) as error:
            if self._attempt == attempt:
                raise
            _logger.warning("job %s: the command goes on without it: %s", self._job_id, error)
            await self._execution.wait()
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
        """Recover from a lost lease."""
        claims = 0
        while True:
            job, known = await self._fetch_job()
            match recovery_for(job, self._attempt) if known else Recovery.RETRY:
                case Recovery.CONTINUE_ALONE:
                    state = "LOST" if job is not None else "deleted"
                    _logger.warning("job %s is %s; the command goes on without it", self._job_id, state)
                    await self._execution.wait()
                    return
                case Recovery.STOP:
                    if not self._execution.has_ended:
                        self.job = job
                        self._log_stop(job)
                        await self._execution.stop(asyncio.sleep(self._grace))
                    await self._execution.wait()
                    return
                case Recovery.CLAIM if await self._reclaim():
                    return
            claims += self._execution.has_ended
            if claims == _CLAIM_LIMIT:
                _logger.warning("job %s: the end of the command could not be reported", self._job_id)
                await self._execution.wait()
                return
            await asyncio.sleep(_POLL_INTERVAL)

    def _log_stop(self, job: Job | None) -> None:
        """Log why the command is stopped; of a job that FAILED the last line of `milepost exec` says why."""
        if job is not None and job.state == JobState.JOB_STATE_FAILED:
            _logger.info("job %s has failed; stopping the command", self._job_id)
        else:
            _logger.warning("job %s has another attempt or has ended; stopping the command", self._job_id)

    async def _fetch_job(self) -> tuple[Job | None, bool]:
        """The job, None if it was deleted; and whether its state is known."""
        try:
            return (await self._client.get(self._job_id)).proto, True
        except JobNotFound:
            return None, True
        except MilepostError as error:
            _logger.info("job %s: the state could not be fetched: %s", self._job_id, error)
            return None, False

    async def _reclaim(self) -> bool:
        """Claim the job for another attempt. Return whether the command ended within it."""
        try:
            return await self._run_attempt(self._claim(self._job_id))
        except MilepostError as error:
            _logger.info("job %s could not be reclaimed: %s", self._job_id, error)
            return False

    async def _grace_period(self) -> None:
        """Wait for the grace period of a cancelled command: the configured one, or the job's if that is shorter."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._grace
        while (left := until - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    job = await self._client.get(self._job_id)
            except (MilepostError, TimeoutError):
                # The grace period also holds while the server is unavailable.
                pass
            else:
                if has_ended(job):
                    return
                if job.state == JobState.JOB_STATE_CANCELLING:
                    until = min(until, loop.time() + _GRACE_FRACTION * remaining_grace(job.cancellation))
            await asyncio.sleep(max(min(until - loop.time(), _CANCELLED_POLL_INTERVAL), 0.0))
