"""Create the watches of `Client` from their options, and fold a watch into snapshots."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from typing import Any

from milepost.client._arguments import (
    check_callbacks,
    check_flags,
    check_names,
    check_seconds,
    check_text,
    to_whole,
)
from milepost.client._job_calls import job_filter
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._options import WatchOptions
from milepost.client._transport.channel import LazyChannel
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.event_selection import EventSelection
from milepost.client._watch.job_cursor import JobCursor
from milepost.client._watch.job_watch import FollowWatch, StateWatch, Watch
from milepost.client._watch.jobs_cursor import JobsCursor
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._watch.watch_cursor import OnGap, Start
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Event, Job, Waiting

__all__ = ["final_job", "fold_snapshots", "follow_watch", "watch_job", "watch_jobs"]


def watch_job(
    channel: LazyChannel,
    timeout: float,
    job_id: str,
    *,
    snapshot: bool,
    on_gap: OnGap,
    after: int = 0,
    epoch: str = "",
    latest: bool = False,
    payloads: Iterable[str] = (),
    stages: Iterable[str] = (),
    latest_progress: bool = False,
    follow: bool = True,
    status_interval: float | None = None,
    on_state: Callable[[Connection], None] | None = None,
    on_waiting: Callable[[Waiting | None], None] | None = None,
    **unknown: object,
) -> Watch | StateWatch:
    """A watch of one job; see `Client.watch`."""
    check_names(unknown, WatchOptions, "watching a job")
    check_text(job_id=job_id)
    check_flags(snapshot=snapshot, latest=latest, latest_progress=latest_progress, follow=follow)
    check_callbacks(on_state=on_state, on_waiting=on_waiting)
    after = to_whole(after, "after")
    cursor = JobCursor(
        job_id,
        after=after,
        epoch=epoch,
        start=_start(after=after != 0, snapshot=snapshot, latest=latest),
        selection=EventSelection.of(payloads, stages, latest_progress),
        on_gap=on_gap,
        follow=follow,
        status_interval=status_interval,
    )
    cursor.request()  # raises here, and not where the watch is iterated, if an argument is of a wrong type
    kind = StateWatch if snapshot or on_gap == "snapshot" else Watch
    return kind(
        channel,
        job_id,
        cursor,
        on_state=on_state,
        on_waiting=on_waiting,
        timeout=timeout,
    )


def watch_jobs(
    channel: LazyChannel,
    timeout: float,
    *,
    snapshot: bool,
    on_gap: OnGap,
    after: int | None = None,
    epoch: str = "",
    latest: bool = False,
    payloads: Iterable[str] = (),
    stages: Iterable[str] = (),
    latest_progress: bool = False,
    follow: bool = True,
    status_interval: float | None = None,
    on_state: Callable[[Connection], None] | None = None,
    **query: Any,
) -> JobsWatch:
    """A watch of all jobs that match a query; see `Client.watch_jobs`."""
    check_flags(snapshot=snapshot, latest=latest, latest_progress=latest_progress, follow=follow)
    check_callbacks(on_state=on_state)
    if after is not None:
        after = to_whole(after, "after")
    cursor = JobsCursor(
        job_filter(**query),
        after=after,
        epoch=epoch,
        start=_start(after=bool(after), snapshot=snapshot, latest=latest),
        selection=EventSelection.of(payloads, stages, latest_progress),
        on_gap=on_gap,
        follow=follow,
        status_interval=status_interval,
    )
    cursor.request()  # as above
    return JobsWatch(channel, cursor, on_state=on_state, timeout=timeout)


def follow_watch(
    channel: LazyChannel,
    timeout: float,
    job_id: str,
    *,
    on_state: Callable[[Connection], None] | None,
    status_interval: float | None,
) -> FollowWatch:
    """The watch of `Client.follow`."""
    check_text(job_id=job_id)
    check_callbacks(on_state=on_state)
    cursor = JobCursor(
        job_id, start="snapshot", on_gap="snapshot", status_interval=status_interval, new_estimates=True
    )
    cursor.request()  # as above
    return FollowWatch(channel, job_id, cursor, on_state=on_state, timeout=timeout)


async def fold_snapshots(watch: FollowWatch) -> AsyncGenerator[JobSnapshot, None]:
    """The job after each batch of events and each new estimate, until it has ended; closes the watch."""
    fold = Fold()
    async with watch:
        async for items in watch.batches():
            for item in items:
                if isinstance(item, Job):
                    fold = Fold(item)
                elif isinstance(item, Event):
                    fold.apply(item)
            # A copy, since the fold goes on. The estimate is set in that: the folded job would keep each one in memory.
            job = Job()
            job.CopyFrom(fold.job)
            job.ClearField("estimate")
            if watch.estimate is not None:
                job.estimate.CopyFrom(watch.estimate)
            yield JobSnapshot(job)
            if has_ended(job):
                return


async def final_job(states: AsyncIterator[JobSnapshot], job_id: str, timeout: float | None) -> Job:
    """The job once it has ended, as the last of its states.

    Raises:
        TimeoutError: It has not within so many seconds; None, or infinitely many, for no limit.
    """
    if timeout == math.inf:
        timeout = None
    if timeout is not None:
        check_seconds(timeout=timeout)
    ended, limit = Job(), asyncio.timeout(timeout)
    try:
        async with limit:
            async for job in states:
                ended = job.proto
    except TimeoutError:
        if not limit.expired():
            raise
        raise TimeoutError(f"Job {job_id!r} has not ended within {timeout:g} s; it continues.") from None
    return ended


def _start(*, after: bool, snapshot: bool, latest: bool) -> Start:
    if sum(map(bool, (after, snapshot, latest))) > 1:
        raise ValueError("A watch starts in one way: after a cursor, with a snapshot, or with the latest.")
    if snapshot:
        return "snapshot"
    return "latest" if latest else "after"
