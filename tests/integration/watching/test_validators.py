"""The validators accept recordings of real subscribers and reject each corrupted one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import (
    CaughtUp,
    Delivery,
    Event,
    EventFilter,
    Events,
    Job,
    JobFilter,
    LogWritten,
    Snapshot,
    Stage,
    StageProgressed,
    StageStarted,
    Status,
    Update,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
    WatchJobsResponse,
)
from tests.support.rpc import Rpc, connect, log_line, succeeded
from tests.support.server import Server
from tests.support.validators import VALIDATORS, EventView, History, Recording, Stream, check, failing

Mutant: TypeAlias = Callable[[Recording], object]

LOGS_ONLY = EventFilter(payloads=["log_written"])


def is_log(event: Event) -> bool:
    """What LOGS_ONLY shows."""
    return event.HasField("log_written")


async def run(rpc: Rpc) -> str:
    """An ended job with commits of two to four events and superseded progress."""
    job_id = (await rpc.submit()).job_id
    start = Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=9)))
    progress = [Update(stage_progressed=StageProgressed(stage_id="s", current=n)) for n in range(1, 5)]
    async with rpc.session() as session:
        job, token = await session.take()
        assert job_id == job.job_id
        await session.report(job_id, token, 1, start, log_line("a"), log_line("b"))
        await session.report(job_id, token, 4, *progress)
        await session.report(job_id, token, 8, log_line("c"), log_line("d"))
        await session.report(job_id, token, 10, succeeded())
        await session.acknowledged(10)
        await session.leave()
    return job_id


async def watch_job(rpc: Rpc, job_id: str, **fields: Any) -> Recording:
    """The recording of a subscriber that resumed after the fifth event."""
    recording = Recording()
    first = WatchJobRequest(job_id=job_id, max_batch_events=1, no_follow=True, **fields)
    await recording.record(rpc.jobs.WatchJob(first), follows=False)
    stream = recording.streams[0]
    stream.frames, stream.code = stream.frames[:6], None
    cursor = recording.cursor
    assert cursor
    again = WatchJobRequest(job_id=job_id, after_sequence=cursor, max_batch_events=2, **fields)
    await recording.record(rpc.jobs.WatchJob(again), cursor)
    return recording


async def watch_jobs(rpc: Rpc, **fields: Any) -> Recording:
    """The recording of a subscriber of all the test's jobs that resumed after the third commit."""
    recording = Recording()
    wanted = JobFilter(kinds=[rpc.kind])
    first = WatchJobsRequest(filter=wanted, max_batch_events=1, no_follow=True, **fields)
    await recording.record(rpc.jobs.WatchJobs(first), follows=False)
    stream = recording.streams[0]
    stream.frames, stream.code = stream.frames[:4], None
    cursor = recording.cursor
    assert cursor
    again = WatchJobsRequest(filter=wanted, after_position=cursor, no_follow=True, **fields)
    await recording.record(rpc.jobs.WatchJobs(again), cursor, follows=False)
    return recording


async def history_of(rpc: Rpc) -> History:
    """All commits of the test's jobs."""
    request = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), max_batch_events=1, no_follow=True)
    return History.of_feed([frame async for frame in rpc.jobs.WatchJobs(request)])


# --- Ways to spoil a recording --------------------------------------------------------------------------------------


def frames_of(stream: Stream) -> list[Events]:
    """Its frames of events."""
    return [frame.events for frame in stream.frames if frame.HasField("events")]


def skip(recording: Recording) -> None:
    """An event in the middle is missing."""
    del frames_of(recording.streams[1])[0].events[1]


def skip_a_frame(recording: Recording) -> None:
    """A frame is missing."""
    del recording.streams[1].frames[2]


def skip_after_the_cursor(recording: Recording) -> None:
    """A resumed stream begins one event too late."""
    del frames_of(recording.streams[1])[0].events[0]


def double(recording: Recording) -> None:
    """An event comes twice."""
    events = frames_of(recording.streams[1])[0].events
    events.append(events[-1])


def repeat_before_the_cursor(recording: Recording) -> None:
    """A resumed stream begins one event too early."""
    last = list(recording.streams[0].events)[-1]
    first = frames_of(recording.streams[1])[0]
    events = [last, *first.events]
    del first.events[:]
    first.events.extend(events)


def swap(recording: Recording) -> None:
    """Two events are swapped."""
    events = frames_of(recording.streams[1])[0].events
    swapped = [events[1], events[0], *events[2:]]
    del events[:]
    events.extend(swapped)


def swap_frames(recording: Recording) -> None:
    """Two frames are swapped."""
    frames = recording.streams[0].frames
    frames[2], frames[3] = frames[3], frames[2]


def show_what_never_commits(recording: Recording) -> None:
    """An event is sent before its commit, which then fails."""
    events = frames_of(recording.streams[1])[-1].events
    events.add(job_id=events[-1].job_id, sequence=99, log_written=LogWritten(text="lost"))


def alter(recording: Recording) -> None:
    """An event is sent with another content than in the log."""
    frames_of(recording.streams[1])[0].events[0].time.nanos += 1


def bookmark_early(recording: Recording) -> None:
    """A status frame is ahead of the events sent."""
    stream = recording.streams[1]
    following = frames_of(stream)[0]
    if isinstance(stream.frames[0], WatchJobsResponse):
        stream.frames.insert(1, WatchJobsResponse(status=Status(cursor=following.position)))
    else:
        stream.frames.insert(1, WatchJobResponse(status=Status(cursor=following.events[0].sequence)))


def position_early(recording: Recording) -> None:
    """A frame has the position of the next one."""
    first, second = frames_of(recording.streams[0])[:2]
    first.position = second.position


def position_late(recording: Recording) -> None:
    """A frame has the position of the previous one."""
    first, second = frames_of(recording.streams[0])[:2]
    second.position = first.position


def catch_up_early(recording: Recording) -> None:
    """`caught_up` comes before the last events up to the head."""
    frames = recording.streams[1].frames
    frames.insert(1, frames.pop())


def catch_up_beyond(recording: Recording) -> None:
    """`caught_up` names a head beyond the log."""
    recording.streams[1].frames[-1].caught_up.CopyFrom(CaughtUp(sequence=1 << 40))


def catch_up_twice(recording: Recording) -> None:
    """`caught_up` comes twice."""
    recording.streams[1].frames.append(recording.streams[1].frames[-1])


def open_late(recording: Recording) -> None:
    """`opened` is not the first frame."""
    frames = recording.streams[1].frames
    frames[0], frames[1] = frames[1], frames[0]


def open_elsewhere(recording: Recording) -> None:
    """A stream opens at another cursor than the requested one."""
    recording.streams[1].opened.cursor -= 1


def change_the_epoch(recording: Recording) -> None:
    """A stream continues in another epoch without saying so."""
    recording.streams[1].opened.epoch = "another"


def end_early(recording: Recording) -> None:
    """A stream ends with OK before the job has ended."""
    stream = recording.streams[1]
    stream.frames, stream.code = stream.frames[:2], grpc.StatusCode.OK


def go_on_after_the_end(recording: Recording) -> None:
    """Something comes after the end."""
    events = frames_of(recording.streams[1])[-1].events
    events.add(job_id=events[-1].job_id, sequence=events[-1].sequence + 1)


def leak(recording: Recording) -> None:
    """An event comes that the filter excludes."""
    events = frames_of(recording.streams[0])[0].events
    events.add(job_id=events[-1].job_id, sequence=events[-1].sequence + 1, custom={"type": "leaked"})


def tear(recording: Recording) -> None:
    """The events of one commit come in two frames; a disconnect could separate them."""
    stream = recording.streams[0]
    whole = next(frame for frame in stream.frames if len(frame.events.events) > 1)
    rest = WatchJobsResponse(events=Events(events=whole.events.events[1:], position=whole.events.position))
    del whole.events.events[1:]
    stream.frames.insert(stream.frames.index(whole) + 1, rest)


def cover_later(recording: Recording) -> None:
    """A snapshot includes an event that is sent after it."""
    stream = recording.streams[1]
    events = frames_of(stream)[0].events
    snapshot = Snapshot(job=Job(job_id=events[0].job_id, last_sequence=events[0].sequence))
    stream.frames.insert(1, WatchJobsResponse(snapshot=snapshot))


def snapshot_of_another_moment(recording: Recording) -> None:
    """A snapshot is not the state at its sequence."""
    recording.streams[0].frames[1].snapshot.job.last_sequence -= 1


BOTH: dict[Mutant, str] = {
    skip: "Reliable",
    skip_after_the_cursor: "Resumable",
    double: "Unique",
    repeat_before_the_cursor: "Unique",
    swap: "Ordered",
    swap_frames: "Ordered",
    show_what_never_commits: "Durable",
    alter: "Durable",
    bookmark_early: "Bookmarkable",
    catch_up_early: "Bookmarkable",
    catch_up_twice: "Ordered",
    open_late: "Ordered",
    open_elsewhere: "Resumable",
    change_the_epoch: "Resumable",
    go_on_after_the_end: "Ordered",
}
OF_A_JOB: dict[Mutant, str] = {
    skip_a_frame: "Reliable",
    repeat_before_the_cursor: "Resumable",
    catch_up_beyond: "Bookmarkable",
    end_early: "Reliable",
}
OF_MANY: dict[Mutant, str] = {
    position_early: "Bookmarkable",
    position_late: "Atomic",
    tear: "Atomic",
    cover_later: "Unique",
    end_early: "Reliable",
}


def test_no_validator_is_idle() -> None:
    """Each validator rejects at least one corruption."""
    caught = {*BOTH.values(), *OF_A_JOB.values(), *OF_MANY.values(), "Filter"}
    assert caught == set(VALIDATORS)


@pytest.mark.parametrize(
    ("mutant", "name"),
    [*BOTH.items(), *OF_A_JOB.items()],
    ids=lambda value: getattr(value, "__name__", value),
)
async def test_corrupted_recordings_of_a_job_are_rejected(
    shared_server: Server, mutant: Mutant, name: str
) -> None:
    """A recording of one job passes; corrupted, the responsible validator rejects it."""
    async with connect(shared_server.address) as rpc:
        job_id = await run(rpc)
        recording = await watch_job(rpc, job_id)
        history = History.of_log(await rpc.log(job_id))
    check(recording, history)
    mutant(recording)
    assert name in failing(recording, history)


@pytest.mark.parametrize(
    ("mutant", "name"), [*BOTH.items(), *OF_MANY.items()], ids=lambda value: getattr(value, "__name__", value)
)
async def test_corrupted_recordings_of_many_jobs_are_rejected(
    shared_server: Server, mutant: Mutant, name: str
) -> None:
    """The same for many jobs."""
    async with connect(shared_server.address) as rpc:
        for _ in range(2):
            await run(rpc)
        recording = await watch_jobs(rpc)
        history = await history_of(rpc)
    check(recording, history)
    mutant(recording)
    assert name in failing(recording, history)


async def test_leak_past_a_filter(shared_server: Server) -> None:
    """Filter rejects excluded events, and nothing else."""
    async with connect(shared_server.address) as rpc:
        job_id = await run(rpc)
        of_one = await watch_job(rpc, job_id, filter=LOGS_ONLY)
        of_many = await watch_jobs(rpc, event_filter=LOGS_ONLY)
        log = History.of_log(await rpc.log(job_id))
        feed = await history_of(rpc)
    for recording, history in ((of_one, log), (of_many, feed)):
        assert [event.log_written.text for event in recording.events] == ["a", "b", "c", "d"]
        check(recording, history, EventView(events=is_log))
        assert "Filter" in failing(recording, history, EventView(events=lambda event: False))
        leak(recording)
        assert "Filter" in failing(recording, history, EventView(events=is_log))


async def test_what_latest_hides(shared_server: Server) -> None:
    """With LATEST only superseded progress may be missing."""
    async with connect(shared_server.address) as rpc:
        job_id = await run(rpc)
        history = History.of_log(await rpc.log(job_id))
        recording = Recording()
        latest = WatchJobRequest(
            job_id=job_id, delivery=Delivery.DELIVERY_LATEST, status_interval=Duration(seconds=1)
        )
        await recording.record(rpc.jobs.WatchJob(latest))
    shown = [e.stage_progressed.current for e in recording.events if e.HasField("stage_progressed")]
    assert shown == [4]
    check(recording, history, EventView(latest=True))
    assert "Reliable" in failing(recording, history)
    events = frames_of(recording.streams[0])[0].events
    del events[next(index for index, event in enumerate(events) if event.HasField("stage_progressed"))]
    assert "Reliable" in failing(recording, history, EventView(latest=True))


async def test_wrong_snapshot(shared_server: Server) -> None:
    """Durable compares a snapshot with the fold of the log."""
    async with connect(shared_server.address) as rpc:
        job_id = await run(rpc)
        history = History.of_log(await rpc.log(job_id))
        recording = Recording()
        await recording.record(rpc.watch(job_id, from_snapshot=True), None)
    check(recording, history)
    snapshot_of_another_moment(recording)
    assert "Durable" in failing(recording, history)
