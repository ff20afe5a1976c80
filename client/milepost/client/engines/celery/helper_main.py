"""The helper process of a Celery worker: ends jobs that the worker's parent knows to be over.

Reads JSON lines from its stdin, the settings of its client first, and ends once stdin is closed and everything is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import Mapping
from typing import Any, Final

from milepost.client._attach import AttachCalls
from milepost.client._attach.attachment import Attachment
from milepost.client._job_calls import JobCalls
from milepost.client._options import ConnectionOptions
from milepost.client._transport.backoff import Backoff, is_unexplained
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.target import Target
from milepost.client._transport.unexplained_errors import UnexplainedErrors
from milepost.client.engines.celery.canvas_stamp import CanvasStamp
from milepost.client.engines.celery.parent_watches import ParentWatches
from milepost.client.errors import JobFailure, MilepostError
from milepost.contract.job_states import LEASED

__all__ = ["main"]

_logger = logging.getLogger("milepost.client")

CANCEL_GRACE: Final = 5.0
"""Grace period in seconds of a job whose task Celery has terminated."""
CALL_TIMEOUT: Final = 10.0
"""Seconds for the server to answer a call."""
RETRY_TIMEOUT: Final = 30.0
"""Seconds to repeat a command while the server is away, or has a fault."""
CONCURRENCY: Final = 16
"""Commands in progress at once."""


def main() -> None:
    """Carry out the commands of stdin."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the worker decides, by closing stdin
    logging.basicConfig(level=logging.WARNING, format="milepost helper: %(message)s")
    asyncio.run(_main())


async def _main() -> None:
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    settings = json.loads(await lines.readline())
    slots = asyncio.Semaphore(CONCURRENCY)
    ends = _JobEnds(settings.pop("address"), settings)
    async with asyncio.TaskGroup() as commands:
        async for line in lines:
            await slots.acquire()
            commands.create_task(_carry_out(ends, json.loads(line), slots))
    await ends.channel.close()


async def _carry_out(ends: _JobEnds, command: Mapping[str, Any], slots: asyncio.Semaphore) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + RETRY_TIMEOUT
    backoff, unexplained = Backoff(), UnexplainedErrors()
    try:
        while True:
            try:
                await ends.carry_out(command)
            except MilepostError as error:
                may_pass = unexplained.may_repeat(error)
                if not (may_pass or is_unexplained(error)):
                    # Somebody else has ended the job, has it, or nobody ever submitted it.
                    _logger.info("job %s: nothing to end: %s", command["job_id"], error)
                    return
                if not may_pass or loop.time() > until:
                    _logger.warning("job %s is not reported as ended: %s", command["job_id"], error)
                    return
                await asyncio.sleep(backoff.next_delay())
            except Exception as error:  # such as of the spool; it must not end the other commands
                is_known = isinstance(error, OSError)
                text = "job %s is not reported as ended: %s"
                _logger.warning(text, command["job_id"], error, exc_info=not is_known)
                return
            else:
                return
    finally:
        slots.release()


class _JobEnds:
    """Ends jobs, and the parents of canvases with them."""

    def __init__(self, address: str, options: ConnectionOptions) -> None:
        self.channel = LazyChannel(Target.of(address, **options))
        self._calls = JobCalls(self.channel, CALL_TIMEOUT)
        self._blocks = AttachCalls(self.channel, self._calls, CALL_TIMEOUT)
        self._parents = ParentWatches(self.channel, self._calls, self._claim_parent, CALL_TIMEOUT)

    async def carry_out(self, command: Mapping[str, Any]) -> None:
        """Carry out one command.

        Raises:
            MilepostError: There is no such job, it has ended, or the server did not answer.
        """
        try:
            if command["end"] == "cancel":
                await self._calls.cancel(command["job_id"], command["message"], CANCEL_GRACE)
            else:
                await self._fail(command)
        finally:  # the job may have ended in another way
            if command["canvas"]:
                await self._parents.check(CanvasStamp.from_text(command["canvas"]))

    def _claim_parent(self, job_id: str, instance: str, wait: float) -> Attachment:
        return self._blocks.attach(job_id, instance=instance or None, wait=wait).attachment

    async def _fail(self, command: Mapping[str, Any]) -> None:
        job = (await self._calls.get(command["job_id"])).job
        if job.state in LEASED and job.worker_id != command["worker_id"]:
            return  # Celery has run the task again meanwhile, and that claim has the same instance
        failure = JobFailure(command["code"], command["message"], retryable=command["retryable"])
        with contextlib.suppress(JobFailure):
            async with self._blocks.attach(command["job_id"], instance=command["instance"]):
                raise failure


if __name__ == "__main__":
    main()
