"""The client: submit jobs, follow them, cancel them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import Any, Literal, Unpack, overload

from milepost.client._attach import Attaching
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._results import result_of
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.event_selection import EventSelection
from milepost.client._watch.job_cursor import Cursor, OnGap, Start
from milepost.client._watch.job_watch import StateWatch, Watch, WatchOptions
from milepost.client._watch.jobs_cursor import FeedCursor
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._watch.subscriptions import Subscriptions
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Job, JobFilter, JobState, Waiting

__all__ = ["Client"]


class Client(Attaching):
    """Submits jobs, follows them and cancels them.

    An async context manager. One client serves any number of tasks over one connection, which is made with the first
    call::

        async with Client("127.0.0.1:7070") as client:
            job = await client.submit("archive", {"path": "/srv/photos", "output": "/srv/photos.tar.zst"})
            async for job in client.follow(job.job_id):
                print(f"{job.fraction:.0%}")
            print(await client.result(job.job_id))

    Every call may raise `Unreachable` where the server does not answer, and `Unauthenticated` or `PermissionDenied`
    where it does not let the caller in. What else it raises is said there.

    What follows jobs (`watch`, `watch_jobs`, `follow`, `result`, `subscriptions`) reconnects by itself, for as long as
    it takes. Where calls are answered but streams do not get through, cut off or held back by something between, it
    asks again and again instead, and says so: in the log, and with the state ``polling`` of its `Connection`.
    """

    @overload
    def watch(
        self,
        job_id: str,
        *,
        snapshot: Literal[False] = False,
        on_gap: Literal["raise"] = "raise",
        **options: Unpack[WatchOptions],
    ) -> Watch: ...

    @overload
    def watch(
        self,
        job_id: str,
        *,
        snapshot: Literal[True],
        on_gap: OnGap = "raise",
        **options: Unpack[WatchOptions],
    ) -> StateWatch: ...

    @overload
    def watch(
        self,
        job_id: str,
        *,
        snapshot: bool = False,
        on_gap: Literal["snapshot"],
        **options: Unpack[WatchOptions],
    ) -> StateWatch: ...

    @overload
    def watch(
        self, job_id: str, *, snapshot: bool, on_gap: OnGap, **options: Unpack[WatchOptions]
    ) -> Watch | StateWatch: ...

    def watch(
        self,
        job_id: str,
        *,
        after: int = 0,
        epoch: str = "",
        snapshot: bool = False,
        latest: bool = False,
        payloads: Iterable[str] = (),
        stages: Iterable[str] = (),
        latest_progress: bool = False,
        follow: bool = True,
        on_gap: OnGap = "raise",
        status_interval: float | None = None,
        on_state: Callable[[Connection], None] | None = None,
        on_waiting: Callable[[Waiting | None], None] | None = None,
    ) -> Watch | StateWatch:
        """The events of a job: every one once and in order, whatever happens to the connection.

        It reconnects by itself, for as long as it takes, and goes on after the last event that it had. Leave it with
        ``async with`` or `Watch.aclose` where it is not followed to its end::

            async with client.watch(job_id, after=41) as watch:
                async for event in watch:
                    print(event.sequence, event.WhichOneof("payload"))

        With ``snapshot`` or ``on_gap="snapshot"`` there are `Job` messages among the events; see `StateWatch`.

        Args:
            job_id: The job.
            after: The sequence of the last event that is known already; 0 for the whole log.
            epoch: The epoch that `after` is of, as `Watch.epoch` told it; empty: not checked.
            snapshot: Begin with the job as it stands, and go on with what happens next.
            latest: Begin with what happens next.
            payloads: The names of the payloads to show, such as ``"stage_ended"``; none for all.
            stages: Show events of these stages, and those that are of no stage; none for all.
            latest_progress: Show only the newest progress of each stage at a time, which is enough for a bar.
            follow: Go on until the job has ended; otherwise stop at what there is now.
            on_gap: What to do where events cannot be had any more, since they were dropped or the store was replaced:
                ``"raise"`` an error, or yield a ``"snapshot"`` of the job, and go on from there.
            status_interval: How often the server is to be heard where nothing happens: 1 s to 1 h; None for 10 s. A
                connection that is silent for two and a half of these, and 5 s, is given up and made anew.
            on_state: Is told how the watch is connected each time that changes.
            on_waiting: Is told what a QUEUED job waits for each time that changes, as `Watch.waiting` has it; None once
                it does not wait any more.

        The watch raises:
            JobNotFound: There is no such job, or it was deleted.
            SequenceTrimmed: The events after `after`, or after what was seen so far, are not kept any more.
            SequenceAhead: There is no event `after` yet.
            EpochChanged: `after`, or what was seen so far, is of another store.
            InvalidField: `payloads` or `status_interval` is out of its bounds.
            Unreachable: It could not connect for the first time within the client's timeout.
            StreamsBlocked: Calls are answered, but no stream gets through at all. With ``on_gap="snapshot"`` the job is
                yielded as calls tell it, instead.
            ProtocolError: The server left out an event, or sent one twice.
        """
        cursor = Cursor(
            job_id,
            after=after,
            epoch=epoch,
            start=_start(after=after != 0, snapshot=snapshot, latest=latest),
            showing=EventSelection.of(payloads, stages, latest_progress),
            on_gap=on_gap,
            follow=follow,
            status_interval=status_interval,
        )
        kind = StateWatch if snapshot or on_gap == "snapshot" else Watch
        return kind(
            self._channel,
            job_id,
            cursor,
            on_state=on_state,
            on_waiting=on_waiting,
            status_interval=status_interval,
            timeout=self._timeout,
        )

    def watch_jobs(
        self,
        *,
        owner: str = "",
        kinds: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        parent_job_id: str = "",
        job_ids: Iterable[str] = (),
        states: Iterable[JobState.ValueType] = (),
        after: int | None = None,
        epoch: str = "",
        snapshot: bool = False,
        latest: bool = False,
        payloads: Iterable[str] = (),
        stages: Iterable[str] = (),
        latest_progress: bool = False,
        follow: bool = True,
        on_gap: OnGap = "raise",
        status_interval: float | None = None,
        on_state: Callable[[Connection], None] | None = None,
    ) -> JobsWatch:
        """What happens to all jobs that match, as one stream: nothing twice, and nothing skipped.

        It reconnects by itself like `watch`, and never ends where it follows: leave it with ``async with``. What it
        yields is said at `JobsWatch`; a board of all running jobs is::

            board: dict[str, Fold] = {}
            async with client.watch_jobs(states=[JobState.JOB_STATE_RUNNING], snapshot=True) as watch:
                async for item in watch:
                    match item:
                        case Job():
                            board[item.job_id] = Fold(item)
                        case Event() if item.job_id in board:
                            board[item.job_id].apply(item)
                        case Deleted():
                            board.pop(item.job_id, None)

        Args:
            owner: Jobs of this owner; empty for any.
            kinds: Jobs of one of these kinds; none for any.
            labels: Jobs that bear all of these labels.
            parent_job_id: This job, and those that are a part of it; empty for any.
            job_ids: These jobs; none for any.
            states: Jobs in one of these states; none for any. One that ceases to match is shown up to that change.
            after: The position to go on from, as `JobsWatch.position` told it; None or 0 for all that is kept.
            epoch: The epoch that `after` is of, as `JobsWatch.epoch` told it; empty: not checked.
            snapshot: Begin with all jobs that match as they stand, and go on with what happens next.
            latest: Begin with what happens next.
            payloads: As for `watch`.
            stages: As for `watch`.
            latest_progress: As for `watch`.
            follow: Go on for as long as this is iterated; otherwise stop at what there is now.
            on_gap: What to do where the position cannot be continued from: ``"raise"`` an error, or yield a `Gap` and
                then, as a ``"snapshot"``, all jobs that match as they stand.
            status_interval: As for `watch`.
            on_state: As for `watch`.

        The watch raises:
            SequenceTrimmed: Something that happened to matching jobs after the position is not kept any more.
            SequenceAhead: The store has not come to this position yet.
            EpochChanged: The position is of another store.
            InvalidField: A field is out of its bounds.
            Unreachable: It could not connect for the first time within the client's timeout.
            StreamsBlocked: Calls are answered, but no stream gets through at all.
            ProtocolError: The server broke the contract.
        """
        wanted = JobFilter(
            owner=owner,
            kinds=kinds,
            labels=labels,
            parent_job_id=parent_job_id,
            job_ids=job_ids,
            states=states,
        )
        cursor = FeedCursor(
            wanted,
            after=after,
            epoch=epoch,
            start=_start(after=bool(after), snapshot=snapshot, latest=latest),
            showing=EventSelection.of(payloads, stages, latest_progress),
            on_gap=on_gap,
            follow=follow,
            status_interval=status_interval,
        )
        return JobsWatch(
            self._channel, cursor, on_state=on_state, status_interval=status_interval, timeout=self._timeout
        )

    def subscriptions(self) -> Subscriptions:
        """Watches of single jobs that come and go, as one; see `Subscriptions`."""
        return Subscriptions(self)

    async def follow(
        self,
        job_id: str,
        *,
        on_state: Callable[[Connection], None] | None = None,
        status_interval: float | None = None,
    ) -> AsyncGenerator[JobSnapshot, None]:
        """The job as it stands, and again after each change, or after each few that came together, until it has ended.

        Each is a snapshot of its own, which stays as it is. Its `fraction` is worth a percentage where its
        `fraction_known` is true. The last one has ended. What is dropped from its log
        meanwhile, or a store that was replaced, makes no difference to how it stands.

        Args:
            job_id: The job.
            on_state: As for `watch`.
            status_interval: As for `watch`.

        Raises:
            JobNotFound: There is no such job, or it was deleted.
            Unreachable: The server was not there to begin with.
        """
        fold = Fold()
        async with self.watch(
            job_id, snapshot=True, on_gap="snapshot", on_state=on_state, status_interval=status_interval
        ) as watch:
            async for items in watch.batches():
                for item in items:
                    if isinstance(item, Job):
                        fold = Fold(item)
                    else:
                        fold.apply(item)
                if watch.estimate is not None:
                    fold.job.estimate.CopyFrom(watch.estimate)
                yield JobSnapshot(_copy(fold.job))
                if has_ended(fold.job):
                    return

    async def result(self, job_id: str, *, timeout: float | None = None) -> dict[str, Any]:
        """Waits until the job has ended, and returns what came of it; empty where its handler returned nothing.

        JSON has one kind of number: whole ones come as ints, others as floats.

        Args:
            job_id: The job.
            timeout: How many seconds to wait; None for as long as it takes. The job goes on when it has passed.

        Raises:
            JobFailed: It failed; `failure` says why.
            JobCancelled: It was cancelled; `cancellation` says by whom and why.
            JobLost: Its worker is gone, and no attempt is left.
            TimeoutError: It has not ended in time.
            JobNotFound: There is no such job.
        """
        async with asyncio.timeout(timeout):
            ended = Job()
            async for job in self.follow(job_id):
                ended = job.proto
        return result_of(ended)


def _start(*, after: bool, snapshot: bool, latest: bool) -> Start:
    if after + snapshot + latest > 1:
        raise ValueError("A watch starts in one way: after a cursor, with a snapshot, or with the latest.")
    if snapshot:
        return "snapshot"
    return "latest" if latest else "after"


def _copy(job: Job) -> Job:
    copy = Job()
    copy.CopyFrom(job)
    return copy
