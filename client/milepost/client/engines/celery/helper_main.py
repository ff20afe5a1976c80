"""The helper process of a Celery worker: ends jobs that the worker's parent knows to be over.

Reads JSON lines from its stdin, the settings of its client first, and ends once stdin is closed and everything is done.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Mapping
from typing import Any, Final

from milepost.client._client import Client
from milepost.client._transport.backoff import Backoff, is_transient
from milepost.client.errors import JobFailure, MilepostError

__all__ = ["main"]

_log = logging.getLogger("milepost.client")

CANCEL_GRACE: Final = 5.0
"""Grace period in seconds of a job whose task Celery has terminated."""
RETRY_TIMEOUT: Final = 30.0
"""Seconds to repeat a command while the server is away."""
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
    async with Client(**settings) as client, asyncio.TaskGroup() as commands:
        async for line in lines:
            await slots.acquire()
            commands.create_task(_carry_out(client, json.loads(line), slots))


async def _carry_out(client: Client, command: Mapping[str, Any], slots: asyncio.Semaphore) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + RETRY_TIMEOUT
    backoff = Backoff()
    try:
        while True:
            try:
                await _end(client, command)
            except MilepostError as error:
                if not is_transient(error, connected_before=True):
                    # Somebody else has ended the job, has it, or nobody ever submitted it.
                    _log.info("job %s: nothing to end: %s", command["job_id"], error)
                    return
                if loop.time() > until:
                    _log.warning("job %s is not reported as ended: %s", command["job_id"], error)
                    return
                await asyncio.sleep(backoff.next_delay())
            else:
                return
    finally:
        slots.release()


async def _end(client: Client, command: Mapping[str, Any]) -> None:
    job_id = command["job_id"]
    if command["end"] == "cancel":
        await client.cancel(job_id, reason=command["message"], grace_period=CANCEL_GRACE)
        return
    failure = JobFailure(command["code"], command["message"], retryable=command["retryable"])
    try:
        async with client.attach(job_id, instance=command["instance"]):
            raise failure
    except JobFailure:
        pass


if __name__ == "__main__":
    main()
