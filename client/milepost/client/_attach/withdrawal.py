"""Cancelling of submitted jobs that nothing would run: of a block that is not entered, or of no engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from milepost.client._transport.repeated_call import until_answered
from milepost.client._worker.timed_wait import completes
from milepost.client.errors import MilepostError

__all__ = ["find_or_withdraw", "withdraw_job"]

_logger = logging.getLogger("milepost.client")

# Seconds for a submission to complete whose caller was cancelled, and for the cancellation of its job.
_TIMEOUT: Final = 2.0


async def find_or_withdraw(
    find: Callable[[], Awaitable[str]], withdraw: Callable[[str], Awaitable[object]] | None
) -> str:
    """The job_id that `find` returns; if this is cancelled meanwhile, and may be undone, the job is cancelled.

    The server may have taken the submission by then. So it is not cut off, which would leave a job that nobody knows.

    Args:
        find: Returns the job_id, as after a submission.
        withdraw: Cancels a job by its id; None to leave it.
    """
    if withdraw is None:
        return await find()
    finding = asyncio.ensure_future(find())
    try:
        return await asyncio.shield(finding)
    except asyncio.CancelledError:
        await asyncio.wait((finding,), timeout=_TIMEOUT)
        if finding.done() and not finding.cancelled() and finding.exception() is None:
            await withdraw_job(withdraw, finding.result())
        raise
    finally:
        finding.cancel()
        del finding  # whose error has this frame


async def withdraw_job(withdraw: Callable[[str], Awaitable[object]] | None, job_id: str) -> None:
    """Cancel a job that nothing will run. An error goes to the log."""
    if withdraw is None:
        return
    why: object = "the server did not answer in time"
    try:
        if await completes(until_answered(lambda: withdraw(job_id)), _TIMEOUT):
            return
    except (MilepostError, RuntimeError) as error:
        why = error
    _logger.warning("job %s: nothing will run it, and cancelling it failed: %s", job_id, why)
