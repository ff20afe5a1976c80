"""Delivery of what earlier processes have left in the spool, by a process that may run no job for long."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from milepost.client._transport.channel import LazyChannel
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.session_loop import SessionLoop
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.client.errors import MilepostError

__all__ = ["DELIVERY_TIMEOUT", "deliver_spool"]

_logger = logging.getLogger("milepost.client")

DELIVERY_TIMEOUT: Final = 60.0
"""Seconds after which the rest is left to the next process: no lease is much longer."""
_CLOSE_TIMEOUT: Final = 1.0


async def deliver_spool(directory: Path, channel: LazyChannel, worker_id: str, timeout: float) -> None:
    """Deliver the reports of dead processes, in a session of its own. Errors go to the log.

    Args:
        directory: The spool.
        channel: The connection to the server.
        worker_id: Names this process.
        timeout: Seconds until the server must have sent its welcome.
    """
    try:
        spool = SpoolDirectory(directory)
    except (OSError, ValueError) as error:
        _logger.warning("the spool %s cannot be used: %s", directory, error)
        return
    jobs = JobTable({}, 1, spool=spool)
    sessions = SessionLoop(channel, jobs, worker_id, timeout)
    running = asyncio.create_task(sessions.run(_wait_to_retry)) if spool.recovered else None
    try:
        if running is not None:
            redelivered = asyncio.create_task(jobs.redelivered())
            try:
                await asyncio.wait(
                    (redelivered, running), timeout=DELIVERY_TIMEOUT, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                redelivered.cancel()
            await sessions.finish(_CLOSE_TIMEOUT)
    finally:
        if running is not None:
            running.cancel()
            await asyncio.wait((running,))
        jobs.close()


async def _wait_to_retry(error: MilepostError, wait: float) -> None:
    _logger.info("the spool is delivered later: %s", error)
    await asyncio.sleep(wait)
