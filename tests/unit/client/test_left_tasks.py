"""Waits that are cancelled leave no task: asyncio would complain of one that is garbage before it has ended."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from milepost.client import Client
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.client._worker.spool_delivery import deliver_spool
from milepost.v1 import JobEnded, JobState, Report, Update
from tests.support.rpc import eventually


async def nothing_is_left(before: set[asyncio.Task[object]]) -> None:
    """Wait until the loop has no other tasks than before."""

    async def is_so() -> bool:
        return asyncio.all_tasks() <= before

    await eventually(is_so)


async def test_recording_the_ends_of_jobs(tmp_path: Path) -> None:
    """While an attempt is left, and its report is being written."""
    jobs, may_write = JobTable({}, 1, spool=SpoolDirectory(tmp_path)), threading.Event()
    jobs._empty.clear()
    jobs._spooler._writer.submit(may_write.wait)
    before = asyncio.all_tasks()
    recording = asyncio.ensure_future(jobs.record_ends())
    for _ in range(3):
        await asyncio.sleep(0)
    recording.cancel()
    await asyncio.wait((recording,))
    assert recording.cancelled()
    may_write.set()
    await nothing_is_left(before)
    jobs.close()


async def test_delivering_a_spool(tmp_path: Path) -> None:
    """While the server is away."""
    spool = SpoolDirectory(tmp_path)
    end = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
    spool.write(Report(job_id="j", lease_token="t", first_report_sequence=1, updates=[end]))
    spool.close()
    before = asyncio.all_tasks()
    channel = Client("127.0.0.1:1")._channel
    delivering = asyncio.ensure_future(deliver_spool(tmp_path, channel, "w", 30.0))
    for _ in range(3):
        await asyncio.sleep(0)
    delivering.cancel()
    await asyncio.wait((delivering,))
    assert delivering.cancelled()
    await nothing_is_left(before)
    await channel.close()
